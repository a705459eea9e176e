package lode_test

import (
	"context"
	"encoding/binary"
	"errors"
	"slices"
	"testing"

	"github.com/lode-bpf/lode"
	"github.com/lode-bpf/lode/internal/ktest"
	"github.com/lode-bpf/lode/prog"
	"github.com/lode-bpf/lode/sys"
)

// The plan says of an object with jump tables what it needs of the kernel.
func TestJumpTablesNeed(t *testing.T) {
	o, err := open(t, "jumptables").Relocate(nil)
	if err != nil {
		t.Fatal(err)
	}
	needs := planned(t, o, lode.Policy{}).Needs
	if !slices.ContainsFunc(needs, func(n lode.Need) bool { return n.Name == "map type insn_array" && n.Since == "6.19" }) {
		t.Errorf("instruction arrays are not among %+v", needs)
	}
}

// Programs jump through tables, one of them in a function of both, to where the source says.
func TestKernelJumpTables(t *testing.T) {
	ktest.NoFDLeaks(t)
	ktest.Root(t)
	ktest.Kernel(t, 6, 19, "instruction arrays")
	c, err := lode.Load(context.Background(), ktest.ObjectPath(t, "jumptables"), lode.LoadOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	for program, want := range map[string][]uint64{"direct": {7, 5, 3, 0, 0}, "indirect": {17, 25, 33, 40, 0}} {
		for choice, result := range want {
			r := prog.Run{Context: make([]byte, 16)} // such programs write into what they are given
			binary.NativeEndian.PutUint64(r.Context, uint64(choice))
			if err := c.Program(program).Run(&r); err != nil {
				t.Fatal(err)
			}
			if got := binary.NativeEndian.Uint64(r.Context[8:]); got != result {
				t.Errorf("%s(%d) is %d, want %d", program, choice, got, result)
			}
		}
	}
}

// A kernel without instruction arrays is named in the error, and nothing is left of the load.
func TestKernelJumpTablesMissing(t *testing.T) {
	ktest.NoFDLeaks(t)
	ktest.Root(t)
	has, err := sys.LiveFeatures().Has(sys.MapTypeFeature(sys.MapTypeInsnArray))
	if err != nil {
		t.Fatal(err)
	}
	if has {
		t.Skip("this kernel has instruction arrays")
	}
	c, err := lode.Load(context.Background(), ktest.ObjectPath(t, "jumptables"), lode.LoadOptions{})
	if err == nil {
		c.Close()
		t.Fatal("loaded")
	}
	var missing *sys.NotSupported
	if !errors.As(err, &missing) || missing.Since != "6.19" {
		t.Errorf("%v: does not say what the kernel lacks", err)
	}
}

// What a program throws goes to the function that it names, else to the kernel's own, which returns it.
func TestKernelExceptions(t *testing.T) {
	ktest.NoFDLeaks(t)
	ktest.Root(t)
	ktest.Kernel(t, 6, 7, "exceptions")
	c, err := lode.Load(context.Background(), ktest.ObjectPath(t, "exceptions"), lode.LoadOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	for _, tt := range []struct {
		program string
		length  int
		want    uint32
	}{{"catches", 50, 51}, {"catches", 64, 164}, {"falls", 50, 52}, {"falls", 64, 64}} {
		if got := run(t, c, tt.program, make([]byte, tt.length)); got != tt.want {
			t.Errorf("%s of %d bytes is %d, want %d", tt.program, tt.length, got, tt.want)
		}
	}
}
