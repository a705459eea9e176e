package btf_test

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/lode-bpf/lode/btf"
	"github.com/lode-bpf/lode/elf"
	"github.com/lode-bpf/lode/internal/ktest"
)

// What MinCORE keeps of the kernel's types for an object has all that
// "bpftool gen min_core_btf" keeps: every type by name, with the same members
// at the same places.
func TestMinCOREHasBpftools(t *testing.T) {
	bpftool := ktest.Tool(t, "bpftool", "bpftool")
	kernel := openBTF(t, kernelFile(t))
	for _, path := range objects(t) {
		if strings.Contains(path, "bpfeb") {
			continue // not for this kernel
		}
		t.Run(filepath.Base(path), func(t *testing.T) {
			b, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			f, err := elf.Parse(b)
			if err != nil {
				t.Fatal(err)
			}
			_, ext, err := btf.ParseELF(f)
			if errors.Is(err, btf.ErrNoBTF) || err == nil && (ext == nil || ext.NumCORE() == 0) {
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			raw, err := kernel.MinCORE(ext)
			if err != nil {
				t.Fatal(err)
			}
			got, err := btf.Parse(raw, nil)
			if err != nil {
				t.Fatal(err)
			}
			if got.NumTypes() > 2000 {
				t.Errorf("%d types are not the least", got.NumTypes())
			}
			file := filepath.Join(t.TempDir(), "min.btf")
			if out, err := exec.Command(bpftool, "gen", "min_core_btf", kernelFile(t), file, path).CombinedOutput(); err != nil {
				t.Logf("bpftool cannot: %v: %s", err, out)
				return
			}
			compareSubset(t, openBTF(t, file), got)

			// And bpftool reads ours.
			if err := os.WriteFile(file, raw, 0o644); err != nil {
				t.Fatal(err)
			}
			if bpftoolRaw(t, file) != listing(got) {
				t.Error("bpftool reads it otherwise")
			}
		})
	}
}

// compareSubset checks that every named type of want is in got, with all its
// members.
func compareSubset(t *testing.T, want, got *btf.Spec) {
	t.Helper()
	for w := range want.Types() {
		if w.Name() == "" {
			continue
		}
		g, ok := got.Find(w.Name(), w.Kind())
		if !ok {
			t.Errorf("%v %q is missing", w.Kind(), w.Name())
			continue
		}
		if g.Size() != w.Size() {
			t.Errorf("%v %q has %d bytes, want %d", w.Kind(), w.Name(), g.Size(), w.Size())
		}
		type place struct {
			name string
			at   uint32
		}
		have := map[place]btf.Member{}
		for _, m := range g.Members() {
			have[place{m.Name, m.BitOffset}] = m
		}
		for _, m := range w.Members() {
			h, ok := have[place{m.Name, m.BitOffset}]
			if !ok || h.BitOffset != m.BitOffset || h.BitSize != m.BitSize || got.Type(h.Type).Kind() != want.Type(m.Type).Kind() {
				t.Errorf("%q.%q: %+v (%v), want %+v", w.Name(), m.Name, h, got.Type(h.Type).Kind(), m)
			}
		}
	}
}

func TestParseAccess(t *testing.T) {
	long := strings.Repeat("0:", 63) + "0"
	for access, want := range map[string]error{
		"0": nil, "0:1:22": nil, long: nil,
		"": btf.ErrRange, ":": btf.ErrRange, "0:": btf.ErrRange, ":0": btf.ErrRange, "0::1": btf.ErrRange, "-1": btf.ErrRange,
		"+1": btf.ErrRange, "0x1": btf.ErrRange, " 1": btf.ErrRange, "-1:9999999999": btf.ErrRange, "4294967296": btf.ErrRange, "0:2147483648": btf.ErrRange,
		long + ":0": btf.ErrLimit, strings.Repeat("0:", 1000000) + "0": btf.ErrLimit,
	} {
		steps, err := btf.ParseAccess(access)
		if !errors.Is(err, want) || want == nil && (err != nil || len(steps) != strings.Count(access, ":")+1) {
			t.Errorf("ParseAccess(%.40q) = %v, %v, want %v", access, steps, err, want)
		}
	}
}
