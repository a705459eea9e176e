package conf

import (
	"errors"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// FuzzConf: any bytes are a configuration or an error, and whatever is accepted
// is written and read again without loss, and leads to no path that is not made
// of good names.
func FuzzConf(f *testing.F) {
	sample, err := os.ReadFile("../docs/pinning.conf")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(sample)
	for _, s := range []string{testConfig, "0x10 a\n-1 b # c\n12abc x\n", "bpffs /run/bpf\nroot /run/bpf/a\n", "3 a\r\n", "map o:m* none\n", "\x00", "directory-mode 1777\ndirectory-owner 1:2\n"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		before := string(b)
		for _, mode := range []Mode{Strict, Lenient} {
			c, findings, err := Parse("f", b, mode)
			if string(b) != before {
				t.Fatal("the input was changed")
			}
			if err != nil {
				var syntax *SyntaxError
				if errors.As(err, &syntax) && (syntax.Line < 1 || syntax.Line > strings.Count(before, "\n")+1 || syntax.Col < 1) {
					t.Fatalf("%v is not in the file", err)
				}
				continue
			}
			for _, x := range findings {
				if x.Line < 1 || x.Line > strings.Count(before, "\n")+1 || x.Col < 1 {
					t.Fatalf("%v is not in the file", x)
				}
			}
			checkFormat(t, c)
			checkDecisions(t, c)
		}
	})
}

// checkFormat: what is written is read as the same.
func checkFormat(t *testing.T, c *Config) {
	t.Helper()
	text := c.Format()
	if string(text) != string(c.Format()) {
		t.Fatal("Format is not deterministic")
	}
	again, err := parse("f", text, Strict, DefaultBPFFS)
	if err != nil {
		if errors.Is(err, ErrLimit) {
			return // comments make it longer
		}
		t.Fatalf("%v in what Format wrote:\n%s", err, text)
	}
	if diff := cmp.Diff(plain(c), plain(again)); diff != "" {
		t.Fatalf("read again, -want +got:\n%s\n%s", diff, text)
	}
}

// plain is a configuration without origins.
func plain(c *Config) *Config {
	p := &Config{BPFFS: Value[string]{V: c.BPFFS.V}, Mount: Value[bool]{V: c.Mount.V}, Root: Value[string]{V: c.Root.V}, Layout: Value[Layout]{V: c.Layout.V},
		OnMismatch: Value[OnMismatch]{V: c.OnMismatch.V}, DirMode: Value[uint32]{V: c.DirMode.V}, DirOwner: Value[Owner]{V: c.DirOwner.V}, Values: map[uint32]Value[string]{}}
	for id, v := range c.Values {
		p.Values[id] = Value[string]{V: v.V}
	}
	for _, r := range c.Rules {
		r.Origin = Origin{}
		p.Rules = append(p.Rules, r)
	}
	return p
}

// checkDecisions: whatever the configuration, a path is made of good elements.
func checkDecisions(t *testing.T, c *Config) {
	t.Helper()
	for _, name := range []string{"m", "../x", "stats_1", ".rodata", "a@b"} {
		for value := range uint32(20) {
			for _, legacy := range []bool{false, true} {
				q := Query{Object: "obj", Map: name, Type: "hash", ProgType: "xdp", IfName: "eth0", PinValue: value, Legacy: legacy, ObjectSHA1: sha1}
				d, err := c.Decide(q)
				if err != nil || !d.Pin {
					continue
				}
				if d.Dir != "" {
					for _, e := range strings.Split(d.Dir, "/") {
						if err := CheckName(e); err != nil {
							t.Fatalf("%+v goes to %q: %v", q, d.Dir, err)
						}
					}
				}
				if err := CheckElement(d.Name); err != nil || name == "../x" || name == "a@b" {
					t.Fatalf("%+v is called %q: %v", q, d.Name, err)
				}
			}
		}
	}
}
