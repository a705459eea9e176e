package sys

import (
	"os"
	"strings"
	"testing"
)

// No recording makes a replay of a session panic.
func FuzzReplay(f *testing.F) {
	seed, err := os.ReadFile("testdata/session.txt")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(seed)
	f.Fuzz(func(t *testing.T, text []byte) {
		p, err := NewReplay(strings.NewReader(string(text)))
		if err != nil {
			return
		}
		session(p)
		p.Finish()
	})
}

// What is read back is written the same, and nothing else is accepted.
func FuzzFeatures(f *testing.F) {
	f.Add([]byte("+btf\n-map_type hash\n# x\n+helper xdp redirect_map\n"))
	f.Add([]byte("+map_type maptype(77)\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		var a, b Features
		if a.UnmarshalText(text) != nil {
			return
		}
		once, _ := a.MarshalText()
		if err := b.UnmarshalText(once); err != nil {
			t.Fatalf("%v\n%s", err, once)
		}
		if twice, _ := b.MarshalText(); string(twice) != string(once) {
			t.Errorf("%q\n%q", once, twice)
		}
	})
}
