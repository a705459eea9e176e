package irkeytable_test

import (
	"fmt"
	"log"

	"github.com/lode-bpf/lode"
	"github.com/lode-bpf/lode/compat/irkeytable"
)

// A decoder is read by the standard parser if that understands it, else by this
// package; then it is an object like any other.
func Example() {
	o, err := lode.Open("../../testdata/irdecoder.bpf.o", lode.ParseOptions{Fallback: irkeytable.Fallback})
	if err != nil {
		log.Fatal(err)
	}
	for _, m := range o.Maps {
		fmt.Println(m.Name, m.Type, m.ValueSize)
	}
	for _, p := range o.Programs {
		fmt.Println(p.Name, p.Type)
	}
	// Output:
	// state array 8
	// decode lirc_mode2
}
