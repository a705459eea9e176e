package sys

import (
	"errors"
	"os"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/lode-bpf/lode/btf"
	"github.com/lode-bpf/lode/sys/internal/gen"
)

// The committed tables are what the generator makes of the committed BTF.
func TestGenerated(t *testing.T) {
	raw, err := os.ReadFile("testdata/uapi.btf")
	if err != nil {
		t.Fatal(err)
	}
	spec, err := btf.Parse(raw, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, part := range gen.Parts {
		want, err := gen.Emit(spec, part)
		if err != nil {
			t.Fatal(err)
		}
		got, err := os.ReadFile(part.File)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(string(want), string(got)); diff != "" {
			t.Errorf("%s is not what `go generate ./sys` writes (-want +got):\n%s", part.File, diff)
		}
	}
	checkEnums(t, spec)
}

// A kernel that knows fewer fields has the others where this package has them, and
// one that knows more has these.
func TestKernelAttrSizes(t *testing.T) {
	spec, err := btf.Kernel()
	if err != nil {
		t.Skip("the kernel has no BTF: ", err)
	}
	structs := 0
	for _, part := range gen.Parts {
		for _, s := range part.Structs {
			checkLayout(t, spec, s)
			structs++
		}
	}
	t.Logf("%d structs", structs)
	checkEnums(t, spec)
}

func checkLayout(t *testing.T, spec *btf.Spec, s gen.Struct) {
	l, err := gen.Describe(spec, s)
	var missing *gen.NotFoundError
	if errors.As(err, &missing) {
		t.Logf("this kernel is older: %v", err)
		return
	}
	if err != nil {
		t.Fatal(err)
	}
	ours := layoutNamed(s.Go)
	for _, f := range l.Fields {
		o := ours.byName(f.Name)
		if o == nil {
			t.Logf("this kernel is newer: %s.%s", s.Go, f.Name)
			continue
		}
		if uint32(o.off) != f.Offset || uint32(o.size) != f.Size {
			t.Errorf("%s.%s: here at %d+%d, in the kernel at %d+%d", s.Go, f.Name, o.off, o.size, f.Offset, f.Size)
		}
	}
	if l.Size > uint32(ours.size) {
		t.Logf("this kernel is newer: %s has %d bytes, here %d", s.Go, l.Size, ours.size)
	}
}

func layoutNamed(name string) *layout {
	for _, list := range [][]*layout{attrLayouts, infoLayouts} {
		for _, l := range list {
			if l.name == name {
				return l
			}
		}
	}
	return nil
}
