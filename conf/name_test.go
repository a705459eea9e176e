package conf

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestCheckName(t *testing.T) {
	long := strings.Repeat("a", MaxName)
	for _, good := range []string{"a", "_", "0", "counts", "a-b", "a-", "A_9-", long} {
		if err := CheckName(good); err != nil {
			t.Errorf("%q: %v", good, err)
		}
	}
	for _, tt := range []struct {
		name string
		want NameError
	}{
		{"", NameError{"", 0, 0, "it is empty"}},
		{".", NameError{".", 0, '.', "byte 0 is '.', which bpffs refuses"}},
		{"..", NameError{"..", 0, '.', "byte 0 is '.', which bpffs refuses"}},
		{"../x", NameError{"../x", 0, '.', "byte 0 is '.', which bpffs refuses"}},
		{"a/b", NameError{"a/b", 1, '/', "byte 1 is '/'; letters, digits, '_' and '-' are allowed"}},
		{"/a", NameError{"/a", 0, '/', "byte 0 is '/'; letters, digits, '_' and '-' are allowed"}},
		{"-a", NameError{"-a", 0, '-', "byte 0 is '-', which cannot be the first"}},
		{"a b", NameError{"a b", 1, ' ', "byte 1 is ' '; letters, digits, '_' and '-' are allowed"}},
		{"a\x00", NameError{"a\x00", 1, 0, `byte 1 is '\x00'; letters, digits, '_' and '-' are allowed`}},
		{"\x1b[2J\n", NameError{"\x1b[2J\n", 0, 0x1b, `byte 0 is '\x1b'; letters, digits, '_' and '-' are allowed`}},
		{"é", NameError{"é", 0, 0xc3, `byte 0 is '\xc3'; letters, digits, '_' and '-' are allowed`}},
		{"obj@data", NameError{"obj@data", 3, '@', "byte 3 is '@', which is reserved for the names of internal maps"}},
		{long + "a", NameError{long + "a", MaxName, 'a', "it has 129 bytes, 128 are allowed"}},
	} {
		err := CheckName(tt.name)
		var got *NameError
		if !errors.As(err, &got) {
			t.Errorf("%q: %v, want a *NameError", tt.name, err)
			continue
		}
		if diff := cmp.Diff(tt.want, *got); diff != "" {
			t.Errorf("%q: -want +got:\n%s", tt.name, diff)
		}
	}
	if msg := CheckName(strings.Repeat("\x1b", 1<<16)).Error(); len(msg) > 1000 {
		t.Errorf("the message has %d bytes", len(msg))
	}
}

func TestEncodeInternal(t *testing.T) {
	for _, tt := range []struct{ name, want string }{
		{".rodata", "@rodata"}, {"counter.data", "counter@data"}, {".rodata.str1.1", "@rodata@str1@1"}, {"..", "@@"}, {".", "@"},
	} {
		got, err := EncodeInternal(tt.name)
		if err != nil || got != tt.want {
			t.Errorf("%q: %q, %v, want %q", tt.name, got, err, tt.want)
		}
		if back, ok := DecodeInternal(got); !ok || back != tt.name {
			t.Errorf("%q comes back as %q, %v", tt.name, back, ok)
		}
		if CheckName(got) == nil {
			t.Errorf("%q could be the name of another map", got)
		}
	}
	for _, bad := range []string{"", "data", "a@b.c", "@", "a/b.c", "../x", "a.b\n", strings.Repeat(".", 129), "-.x"} {
		if got, err := EncodeInternal(bad); err == nil {
			t.Errorf("%q has the form %q", bad, got)
		}
	}
	for _, other := range []string{"", "data", "a-b", "a.b", "@/", "-@"} {
		if name, ok := DecodeInternal(other); ok {
			t.Errorf("%q is taken for the form of %q", other, name)
		}
	}
}

func TestMatch(t *testing.T) {
	for _, tt := range []struct {
		pattern, name string
		want          bool
	}{
		{"a", "a", true}, {"a", "b", false}, {"a", "ab", false}, {"ab", "a", false}, {"", "", true}, {"*", "", true},
		{"*", "abc", true}, {"a*", "abc", true}, {"*c", "abc", true}, {"*b", "abc", false}, {"a*c", "abbc", true},
		{"a**c", "ac", true}, {"?", "a", true}, {"?", "", false}, {"a?c", "abc", true}, {"*a*b*", "xaxbx", true}, {"*a*b*", "xbxax", false},
		{"*ab", "aab", true}, {"*aab", "aaaab", true},
		{"*", ".rodata", false}, {"?rodata", ".rodata", false}, {".*", ".rodata", true}, {"*.rodata", "obj.rodata", true},
	} {
		if got := match(tt.pattern, tt.name); got != tt.want {
			t.Errorf("match(%q, %q) = %v", tt.pattern, tt.name, got)
		}
	}
	// A pattern that would take exponential time if every '*' were tried anew.
	if match(strings.Repeat("*a", 60)+"*b", strings.Repeat("a", MaxName)) {
		t.Error("b is found where there is none")
	}
}
