package oracle_test

import (
	"fmt"

	"github.com/lode-bpf/lode/fuzz/gen"
	"github.com/lode-bpf/lode/fuzz/oracle"
)

// Any bytes can be checked; no violation is the expected answer.
func ExampleCheck() {
	fmt.Println(oracle.Check([]byte("\x7fELF, or so it claims")))
	// Output: []
}

// Each stage has its say about an object.
func ExampleJudge() {
	obj := gen.New(1).Object(gen.Profile{})
	for _, v := range oracle.Judge(obj[:len(obj)-1]) {
		fmt.Println(v.Stage, v)
	}
	// Output:
	// elf error: truncated
	// btf none
	// object none
}
