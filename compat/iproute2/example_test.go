package iproute2_test

import (
	"context"
	"fmt"
	"log"

	"github.com/lode-bpf/lode"
	"github.com/lode-bpf/lode/compat/iproute2"
	"github.com/lode-bpf/lode/conf"
	"github.com/lode-bpf/lode/sys"
)

// One call for objects of either format.
func ExampleLoad() {
	coll, err := iproute2.Load(context.Background(), "old.o", lode.LoadOptions{})
	if err != nil {
		log.Fatal(err) // nothing is left behind
	}
	defer coll.Close()
	for name, m := range coll.Maps {
		fmt.Println(name, m.Type())
	}
}

// Where iproute2 would pin what: known without privileges, before anything is loaded.
func ExampleOptions_Fallback() {
	tc := iproute2.Options{Type: sys.ProgTypeSchedCls}
	o, err := lode.Open("../../testdata/legacy.bpf.o", lode.ParseOptions{Fallback: tc.Fallback})
	if err != nil {
		log.Fatal(err)
	}
	o.Hash = "0123456789abcdef0123456789abcdef01234567" // instead of the SHA-1 of the file
	config, _, err := conf.Parse("bpf_pinning", []byte("7 shared\n"), conf.Lenient)
	if err != nil {
		log.Fatal(err)
	}
	plan, err := o.Plan(lode.Policy{Config: config})
	if err != nil {
		log.Fatal(err)
	}
	for _, m := range plan.Maps {
		if m.Pin != nil {
			fmt.Println(m.Name, m.Pin.Path)
		}
	}
	// Output:
	// per_object /sys/fs/bpf/tc/0123456789abcdef0123456789abcdef01234567/per_object
	// global /sys/fs/bpf/tc/globals/global
	// configured /sys/fs/bpf/shared/configured
	// jumps /sys/fs/bpf/tc/0123456789abcdef0123456789abcdef01234567/jumps
}

// The programs of tail calls stand in sections that say where they go.
func ExampleParseTailCall() {
	fmt.Println(iproute2.ParseTailCall("42/0x3"))
	fmt.Println(iproute2.ParseTailCall("classifier"))
	// Output:
	// 42 3 true
	// 0 0 false
}
