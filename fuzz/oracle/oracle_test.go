package oracle

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/lode-bpf/lode/fuzz/gen"
	"github.com/lode-bpf/lode/fuzz/mutate"
)

func wantNone(t *testing.T, what string, obj []byte) {
	t.Helper()
	for _, v := range Check(obj) {
		t.Errorf("%s: %v", what, v)
	}
}

func TestCheckRealObjects(t *testing.T) {
	paths, err := filepath.Glob("../../testdata/*.o")
	if err != nil || len(paths) == 0 {
		t.Fatal("no objects in testdata", err)
	}
	for _, path := range paths {
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		wantNone(t, path, b)
	}
}

func TestCheckGenerated(t *testing.T) {
	for seed := range uint64(60) {
		obj := gen.New(seed).Object(gen.Profile{Plain: seed%5 == 0})
		wantNone(t, "valid", obj)
		for _, v := range Judge(obj) {
			if v.Outcome == "error" {
				t.Errorf("seed %d: %s: %s", seed, v.Stage, v.Text)
			}
		}
		for n := range uint64(10) {
			broken, trace := mutate.Apply(obj, n, 2)
			wantNone(t, trace.String(), broken)
		}
	}
}

func TestCheckAnything(t *testing.T) {
	for _, s := range []string{"", "\x7fELF", strings.Repeat("\x7fELF\x02\x01\x01", 100), strings.Repeat("\xff", 5000)} {
		wantNone(t, s[:min(len(s), 8)], []byte(s))
	}
}

// The oracles see what they are there for.
func TestGuard(t *testing.T) {
	for _, tt := range []struct {
		want string
		run  func([]byte, func(string, string, ...any))
	}{
		{"panic", func(b []byte, _ func(string, string, ...any)) { _ = b[len(b)] }},
		{"input", func(b []byte, _ func(string, string, ...any)) { b[0]++ }},
		{"allocation", func(b []byte, fail func(string, string, ...any)) {
			bounded(len(b), fail, func() { sink = make([]byte, 2<<20) })
		}},
		{"place", func(_ []byte, fail func(string, string, ...any)) { fail("place", "x") }},
	} {
		list := guard(check{"test", tt.run}, []byte{1, 2, 3})
		if len(list) != 1 || list[0].Oracle != tt.want {
			t.Errorf("want a violation of %q, got %v", tt.want, list)
		}
	}
	if plain("a\x1b[2J") || !plain("ä\n") {
		t.Error("plain")
	}
}

var sink []byte
