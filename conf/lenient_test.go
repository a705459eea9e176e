package conf

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// Every line that iproute2 reads in a way of its own, and what it makes of it.
// Where this package differs, the comment says so.
func TestLenient(t *testing.T) {
	for _, tt := range []struct {
		name     string
		text     string
		values   map[uint32]string
		findings []string
	}{
		{"plain", "3 foo/bar", map[uint32]string{3: "foo/bar"}, nil},
		{"blank lines and comments", "#\n\n   # indented\n\t\n\t3 a\n", map[uint32]string{3: "a"}, nil},
		{"hexadecimal", "0x10 a", map[uint32]string{16: "a"}, []string{`1:1: the number "0x10" is pin value 16`}},
		{"octal", "010 a", map[uint32]string{8: "a"}, []string{`1:1: the number "010" is pin value 8`}},
		{"a digit that is not octal", "08 a", map[uint32]string{}, []string{"1:2: the number ends at '8', where the directory begins", "1:3: what follows the directory is ignored", "1:1: pin value 0 is reserved: the line is ignored"}},
		{"sign", "+7 a", map[uint32]string{7: "a"}, []string{`1:1: the number "+7" is pin value 7`}},
		{"negative", "-1 a", map[uint32]string{4294967295: "a"}, []string{`1:1: the number "-1" is pin value 4294967295`}},
		// iproute2 takes the lowest 32 bits; here the line is ignored.
		{"beyond 32 bits", "4294967298 a\n3 b", map[uint32]string{3: "b"}, []string{`1:1: the number "4294967298" does not fit in 32 bits: the line is ignored`}},
		{"reserved", "0 a\n1 a\n2 a\n3 b", map[uint32]string{3: "b"}, []string{
			"1:1: pin value 0 is reserved: the line is ignored", "2:1: pin value 1 is reserved: the line is ignored", "3:1: pin value 2 is reserved: the line is ignored"}},
		{"letters behind the number", "12abc x", map[uint32]string{12: "abc"}, []string{"1:3: the number ends at 'a', where the directory begins", "1:6: what follows the directory is ignored"}},
		{"comment behind", "5 a/b # comment", map[uint32]string{5: "a/b"}, nil},
		{"words behind", "5 a/b c d", map[uint32]string{5: "a/b"}, []string{"1:6: what follows the directory is ignored"}},
		{"carriage return alone ends the file", "3 a\r\n\r\n4 b\r\n", map[uint32]string{3: "a"}, []string{`2:1: this is not "ID DIRECTORY": iproute2 reads no further, so the rest of the file counts for nothing`}},
		{"no directory", "3 a\n7\n4 b", map[uint32]string{3: "a"}, []string{`2:1: this is not "ID DIRECTORY": iproute2 reads no further, so the rest of the file counts for nothing`}},
		{"no number", "3 a\nname path\n4 b", map[uint32]string{3: "a"}, []string{`2:1: this is not "ID DIRECTORY": iproute2 reads no further, so the rest of the file counts for nothing`}},
		{"directives of this package", "3 a\nroot x\n", map[uint32]string{3: "a"}, []string{`2:1: this is not "ID DIRECTORY": iproute2 reads no further, so the rest of the file counts for nothing`}},
		{"absolute", "9 /abs/x", map[uint32]string{9: "abs/x"}, []string{`1:3: the path "/abs/x" is taken as relative to bpffs`}},
		{"doubled slashes", "9 a//b/", map[uint32]string{9: "a/b"}, nil},
		{"twice", "3 a\n3 b", map[uint32]string{3: "b"}, []string{"2:1: pin value 3 again: this line counts, not line 1"}},
		// iproute2 would make directories outside of bpffs; here the line is ignored.
		{"out of bpffs", "9 ../../evil\n10 a/../b", map[uint32]string{}, []string{
			`1:3: path element ".." cannot be made in bpffs or leads out of it: the line is ignored`,
			`2:4: path element ".." cannot be made in bpffs or leads out of it: the line is ignored`}},
		// iproute2 would get EPERM from bpffs for each map.
		{"dot", "9 a.b", map[uint32]string{}, []string{`1:3: path element "a.b" cannot be made in bpffs or leads out of it: the line is ignored`}},
		{"placeholder", "9 %{ifname}", map[uint32]string{}, []string{`1:3: path element "%{ifname}" cannot be made in bpffs or leads out of it: the line is ignored`}},
		{"too deep", "9 " + strings.Repeat("a/", 20), map[uint32]string{}, []string{"1:3: the path has more than 16 elements: the line is ignored"}},
		{"escapes", "9 \x1b[2J", map[uint32]string{}, []string{`1:3: path element "\x1b[2J" cannot be made in bpffs or leads out of it: the line is ignored`}},
		{"NUL", "9 a\x00b", map[uint32]string{}, []string{`1:3: path element "a\x00b" cannot be made in bpffs or leads out of it: the line is ignored`}},
		{"hexadecimal without digits", "0x a", map[uint32]string{}, []string{`1:1: this is not "ID DIRECTORY": iproute2 reads no further, so the rest of the file counts for nothing`}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c, findings, err := Parse("f", []byte(tt.text), Lenient)
			if err != nil {
				t.Fatal(err)
			}
			values := map[uint32]string{}
			for id, v := range c.Values {
				values[id] = v.V
			}
			var got []string
			for _, f := range findings {
				got = append(got, strings.TrimPrefix(f.String(), "f:"))
			}
			if diff := cmp.Diff(tt.values, values); diff != "" {
				t.Errorf("values, -want +got:\n%s", diff)
			}
			if diff := cmp.Diff(tt.findings, got); diff != "" {
				t.Errorf("findings, -want +got:\n%s", diff)
			}
		})
	}
}
