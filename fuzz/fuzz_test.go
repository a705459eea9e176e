package fuzz_test

import (
	"bytes"
	"fmt"
	"testing"

	"github.com/lode-bpf/lode/fuzz"
	"github.com/lode-bpf/lode/fuzz/mutate"
	"github.com/lode-bpf/lode/fuzz/oracle"
)

// FuzzGen reads its input as a list of choices and holds everything that needs
// no kernel to its promises.
func FuzzGen(f *testing.F) {
	for i := range mutate.Rules() {
		f.Add([]byte{byte(i), byte(i % 8), byte(i), byte(i), 0})
	}
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, ops []byte) {
		obj, trace := fuzz.Object(ops)
		for _, v := range oracle.Check(obj) {
			t.Errorf("%v\nafter\n%v", v, trace)
		}
	})
}

func TestObject(t *testing.T) {
	if n := len(mutate.Rules()); n > 256 {
		t.Errorf("%d rules: a byte does not choose among them", n)
	}
	rules := map[string]bool{}
	for i := range 256 {
		ops := []byte{byte(i), byte(i), byte(i), 1, 2, 0, 1}
		a, trace := fuzz.Object(ops)
		b, _ := fuzz.Object(ops)
		if !bytes.Equal(a, b) {
			t.Errorf("%v gives two objects", ops)
		}
		for _, s := range trace {
			rules[s.Rule] = true
		}
	}
	if len(rules) < 50 {
		t.Errorf("only %d rules were applied", len(rules))
	}
}

// Five bytes choose an object and break it.
func ExampleObject() {
	obj, trace := fuzz.Object([]byte{3, 0, 50, 7, 0})
	fmt.Print(len(obj), " bytes\n", trace)
	for _, v := range oracle.Judge(obj) {
		fmt.Println(v.Stage, v)
	}
	// Output:
	// 4488 bytes
	// rel/dec: r_offset of record 2 in section 11 at 0xab0: 0xd0 -> 0xcf
	// elf error: out of range
	// btf none
	// object none
}
