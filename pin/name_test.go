package pin

import (
	"errors"
	"regexp"
	"strings"
	"testing"
)

// FuzzPinName: a name is accepted if and only if it is of the one form that is
// documented, so it is one path element of bpffs; the forms of internal names
// come back as they went in, and none of them is a name that is accepted.
func FuzzPinName(f *testing.F) {
	for _, s := range []string{"", "a", "counts", "..", "../x", "a/b", "a\x00", ".rodata", "counter.data", "obj@data", "-x", "x-", "\x1b[2J\n", "é",
		strings.Repeat("a", MaxName), strings.Repeat("a", MaxName+1), strings.Repeat(".", MaxName), "lode-swap-0"} {
		f.Add(s)
	}
	form := regexp.MustCompile(`\A[A-Za-z0-9_][A-Za-z0-9_-]{0,127}\z`)
	f.Fuzz(func(t *testing.T, s string) {
		err := CheckName(s)
		if (err == nil) != form.MatchString(s) {
			t.Fatalf("%q: %v", s, err)
		}
		var bad *NameError
		if err != nil && (!errors.As(err, &bad) || bad.Name != s || bad.Pos < 0 || bad.Pos > len(s) || bad.Pos < len(s) && bad.Byte != s[bad.Pos]) {
			t.Fatalf("%q: %#v", s, err)
		}
		if err == nil && CheckElement(s) != nil {
			t.Fatalf("%q is a name but no path element", s)
		}
		element, err := EncodeInternal(s)
		if err == nil {
			if back, ok := DecodeInternal(element); !ok || back != s || CheckName(element) == nil || CheckElement(element) != nil {
				t.Fatalf("%q is %q, which comes back as %q, %v", s, element, back, ok)
			}
			if strings.ContainsAny(element, "./\x00") {
				t.Fatalf("%q is %q", s, element)
			}
		}
		if name, ok := DecodeInternal(s); ok {
			if again, err := EncodeInternal(name); err != nil || again != s {
				t.Fatalf("%q stands for %q, which is %q, %v", s, name, again, err)
			}
		}
	})
}
