package conf

import (
	"errors"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func at(line int) Origin { return Origin{"f", line} }

func TestParse(t *testing.T) {
	text := `# all directives
bpffs /run/bpf            # comment
mount yes
root /run/bpf/app
	layout	iproute2
on-mismatch replace
directory-mode 1777
directory-owner 10:20

3 foo/bar
4294967295 /run/bpf/x
map stats_* per/%{ifname} replace
map o?:m none
program * progs-%{object}
object probe* %{type}/%{progtype}`
	got, findings, err := Parse("f", []byte(text), Strict)
	if err != nil || len(findings) != 0 {
		t.Fatal(findings, err)
	}
	want := &Config{
		BPFFS:      Value[string]{"/run/bpf", at(2)},
		Mount:      Value[bool]{true, at(3)},
		Root:       Value[string]{"app", at(4)},
		Layout:     Value[Layout]{LayoutIproute2, at(5)},
		OnMismatch: Value[OnMismatch]{Replace, at(6)},
		DirMode:    Value[uint32]{0o1777, at(7)},
		DirOwner:   Value[Owner]{Owner{true, 10, 20}, at(8)},
		Values:     map[uint32]Value[string]{3: {"foo/bar", at(10)}, 4294967295: {"x", at(11)}},
		Rules: []Rule{
			{Kind: RuleMap, Name: "stats_*", Dir: "per/%{ifname}", OnMismatch: Replace, Origin: at(12)},
			{Kind: RuleMap, Object: "o?", Name: "m", None: true, Origin: at(13)},
			{Kind: RuleProgram, Name: "*", Dir: "progs-%{object}", Origin: at(14)},
			{Kind: RuleObject, Object: "probe*", Dir: "%{type}/%{progtype}", Origin: at(15)},
		},
		Files: []string{"f"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func TestParseEmpty(t *testing.T) {
	for _, text := range []string{"", "\n", "# nothing", "   # indented\n\t\n", "#\tgrüße ☃\n"} {
		got, _, err := Parse("f", []byte(text), Strict)
		want := Default()
		want.Files = []string{"f"}
		if diff := cmp.Diff(want, got); diff != "" || err != nil {
			t.Errorf("%q: %v, -want +got:\n%s", text, err, diff)
		}
	}
}

// The sample that is shipped is the documentation of the format.
func TestSample(t *testing.T) {
	b, err := os.ReadFile("../docs/pinning.conf")
	if err != nil {
		t.Fatal(err)
	}
	c, _, err := Parse("pinning.conf", b, Strict)
	if err != nil {
		t.Fatal(err)
	}
	if len(c.Values) != 2 || len(c.Rules) != 5 || !c.Mount.Origin.IsSet() {
		t.Errorf("%d values, %d rules, mount %v", len(c.Values), len(c.Rules), c.Mount)
	}
	// What is commented out is right, too.
	all := strings.NewReplacer("#bpffs", "bpffs", "#root", "root", "#directory-owner", "directory-owner").Replace(string(b))
	if c, _, err = Parse("pinning.conf", []byte(all), Strict); err != nil || !c.BPFFS.Origin.IsSet() || !c.Root.Origin.IsSet() || !c.DirOwner.Origin.IsSet() {
		t.Errorf("%v, %+v", err, c)
	}
}

// Everything that is wrong is an error that says where and why.
func TestParseErrors(t *testing.T) {
	for _, tt := range []struct{ text, want string }{
		// Numbers.
		{"12abc x", `f:1:1: pin value "12abc" is not a decimal number`},
		{"5x/y z", `f:1:1: pin value "5x/y" is not a decimal number`},
		{"0x10 a", `f:1:1: pin value "0x10" is hexadecimal; write it in decimal`},
		{"010 a", `f:1:1: pin value "010" begins with 0, which other loaders read as octal; write it in decimal`},
		{"-1 a", `f:1:1: pin value "-1" has a sign; it is a number from 3 to 4294967295`},
		{"+7 a", `f:1:1: pin value "+7" has a sign; it is a number from 3 to 4294967295`},
		{"4294967296 a", `f:1:1: pin value "4294967296" is larger than 4294967295`},
		{"99999999999999999999999999 a", `f:1:1: pin value "99999999999999999999999999" is larger than 4294967295`},
		{"1_0 a", `f:1:1: pin value "1_0" is not a decimal number`},
		{"0 a", "f:1:1: pin value 0 is reserved: 0 is not pinned, 1 is the directory of the object or, in BTF definitions, by name, 2 is the globals"},
		{"1 a", "f:1:1: pin value 1 is reserved: 0 is not pinned, 1 is the directory of the object or, in BTF definitions, by name, 2 is the globals"},
		{"\n 2 a", "f:2:2: pin value 2 is reserved: 0 is not pinned, 1 is the directory of the object or, in BTF definitions, by name, 2 is the globals"},
		{"7", "f:1:1: the directive is: ID DIRECTORY"},
		{"7 # x", "f:1:1: the directive is: ID DIRECTORY"},
		{"7 a b", "f:1:5: the directive is: ID DIRECTORY"},
		{"3 a\n4 b\n3 c", "f:3:1: pin value 3 again; it stands in line 1 already"},
		// Directories.
		{"3 ../evil", `f:1:3: the path element ".." is not allowed`},
		{"3 a/../b", `f:1:5: the path element ".." is not allowed`},
		{"3 a/./b", `f:1:5: the path element "." is not allowed`},
		{"3 a//b", "f:1:5: an empty path element"},
		{"3 a/", "f:1:5: an empty path element"},
		{"3 a.b/c", `f:1:4: path element "a.b": '.', which bpffs refuses`},
		{"3 x/-a", `f:1:5: path element "-a": '-', which cannot be the first`},
		{"3 a@b", `f:1:4: path element "a@b": '@', which is reserved for the names of internal maps`},
		{"3 a:b", `f:1:4: path element "a:b": ':'; letters, digits, '_' and '-' are allowed`},
		{"3 /etc/x", `f:1:3: the path "/etc/x" is not in bpffs, which is at /sys/fs/bpf`},
		{"3 /", `f:1:3: the path "/" is not in bpffs, which is at /sys/fs/bpf`},
		{"3 /sys/fs/bpfx", `f:1:3: the path "/sys/fs/bpfx" is not in bpffs, which is at /sys/fs/bpf`},
		{"3 /sys/fs/bpf/../x", `f:1:15: the path element ".." is not allowed`},
		{"3 /sys/fs/bpf/", "f:1:15: an empty path element"},
		{"bpffs /run/bpf\nroot /sys/fs/bpf/x", `f:2:6: the path "/sys/fs/bpf/x" is not in bpffs, which is at /run/bpf`},
		{"root /run/bpf/x\nbpffs /run/bpf", `f:1:6: the path "/run/bpf/x" is not in bpffs, which is at /sys/fs/bpf`},
		{"3 a/%{ifname", "f:1:5: '%' does not begin one of the placeholders %{object}, %{type}, %{progtype} and %{ifname}"},
		{"3 %{map}", "f:1:3: '%' does not begin one of the placeholders %{object}, %{type}, %{progtype} and %{ifname}"},
		{"3 x%{type}.y", `f:1:11: path element "x%{type}.y": '.', which bpffs refuses`},
		{"3 " + strings.Repeat("a/", 16) + "b", "f:1:3: the path has 17 elements, 16 are allowed"},
		{"3 x/" + strings.Repeat("a", 129), `f:1:133: path element "` + strings.Repeat("a", 129) + `": it has 129 bytes, 128 are allowed`},
		// Bytes.
		{"3 a\r\n4 b\r\n", "f:1:4: the line ends in a carriage return; save the file with Unix line ends"},
		{"\r\n", "f:1:1: the line ends in a carriage return; save the file with Unix line ends"},
		{"3 a\rb", `f:1:4: control character '\r'`},
		{"3 a\x00b", "f:1:4: a NUL byte"},
		{"# a\x00b", "f:1:4: a NUL byte"},
		{"\uFEFF3 a", "f:1:1: the file begins with a byte order mark; save it as plain UTF-8 without one"},
		{"# \uFEFF", `f:1:3: character '\ufeff' cannot be seen`},
		{"# \u202Eevil", `f:1:3: character '\u202e' cannot be seen`},
		{"# \x1b[2J", `f:1:3: control character '\x1b'`},
		{"# \xff", `f:1:3: byte '\xff' is not UTF-8`},
		{"3 \xe2\x98\x83", `f:1:3: byte '\xe2' is not ASCII`},
		{"3 a\x7f", `f:1:4: control character '\x7f'`},
		{"3\v a", `f:1:2: control character '\v'`},
		// Directives.
		{"pin a b", `f:1:1: unknown directive "pin"; a line is "ID DIRECTORY" or begins with one of bpffs, mount, root, layout, on-mismatch, directory-mode, directory-owner, map, program, object`},
		{"Mount yes", `f:1:1: unknown directive "Mount"; a line is "ID DIRECTORY" or begins with one of bpffs, mount, root, layout, on-mismatch, directory-mode, directory-owner, map, program, object`},
		{"include x", `f:1:1: unknown directive "include"; a line is "ID DIRECTORY" or begins with one of bpffs, mount, root, layout, on-mismatch, directory-mode, directory-owner, map, program, object`},
		{"mount", "f:1:1: the directive is: mount yes|no"},
		{"mount yes please", "f:1:11: the directive is: mount yes|no"},
		{"mount true", `f:1:7: "true" is neither yes nor no`},
		{"mount no\nmount no", "f:2:1: mount again; it stands in line 1 already"},
		{"bpffs bpf", `f:1:7: the mount point "bpf" is not an absolute path below /`},
		{"bpffs /", `f:1:7: the mount point "/" is not an absolute path below /`},
		{"bpffs /a/../b", `f:1:10: the mount point has the path element ".."`},
		{"bpffs /a/", `f:1:10: the mount point has the path element ""`},
		{"layout tc", `f:1:8: "tc" is neither libbpf nor iproute2`},
		{"on-mismatch ignore", `f:1:13: "ignore" is neither refuse nor replace`},
		{"directory-mode 77", `f:1:16: mode "77" is not three or four octal digits`},
		{"directory-mode 0788", `f:1:16: mode "0788" is not three or four octal digits`},
		{"directory-mode rwx", `f:1:16: mode "rwx" is not three or four octal digits`},
		{"directory-mode 0777", "f:1:16: mode 0777 lets everybody remove what is pinned; add the sticky bit (1777) or take the right to write away"},
		{"directory-mode 4700", "f:1:16: mode 4700 has the set-user-id or set-group-id bit"},
		{"directory-mode 0600", "f:1:16: mode 0600 does not let the owner use the directory"},
		{"directory-owner root", `f:1:17: user "root" is not a decimal number below 4294967295`},
		{"directory-owner 0:", `f:1:19: group "" is not a decimal number below 4294967295`},
		{"directory-owner 4294967295", `f:1:17: user "4294967295" is not a decimal number below 4294967295`},
		{"map a", "f:1:5: the directive is: map [OBJECT:]NAME DIRECTORY|none [refuse|replace]"},
		{"map a/b c", `f:1:6: '/' cannot stand in a pattern; letters, digits, '_', '-', '.', '*' and '?' can`},
		{"map : c", "f:1:5: an empty pattern"},
		{"map a: c", "f:1:7: an empty pattern"},
		{"map a:b:c d", `f:1:8: ':' cannot stand in a pattern; letters, digits, '_', '-', '.', '*' and '?' can`},
		{"map a none replace", "f:1:12: nothing can mismatch: the rule says none"},
		{"map a b ask", `f:1:9: "ask" is neither refuse nor replace`},
		{"map a b\nprogram a b\nmap a c", `f:3:5: the rule for "a" again; it stands in line 1 already`},
		{"program a b replace", "f:1:13: the directive is: program [OBJECT:]NAME DIRECTORY|none"},
		{"object a:b c", `f:1:9: ':' cannot stand in a pattern; letters, digits, '_', '-', '.', '*' and '?' can`},
		{"map " + strings.Repeat("*", 129) + " d", "f:1:133: the pattern has 129 bytes, 128 are allowed"},
	} {
		c, findings, err := Parse("f", []byte(tt.text), Strict)
		var syntax *SyntaxError
		if !errors.As(err, &syntax) || c != nil || findings != nil {
			t.Errorf("%.80q: %v, want a *SyntaxError and nothing else", tt.text, err)
			continue
		}
		if diff := cmp.Diff(tt.want, err.Error()); diff != "" {
			t.Errorf("%.80q: -want +got:\n%s", tt.text, diff)
		}
		if errors.Is(err, ErrLimit) {
			t.Errorf("%.80q: matches ErrLimit", tt.text)
		}
	}
}

// Both modes keep to the limits, and an error names the one that is exceeded.
func TestParseLimits(t *testing.T) {
	for _, tt := range []struct {
		name, text, want string
	}{
		{"size", "#" + strings.Repeat("\n", MaxFileSize), "f: it has 65537 bytes, 65536 are allowed"},
		{"lines", strings.Repeat("\n", MaxLines) + "#", "f:1025:1: the file has more than 1024 lines"},
		{"line", strings.Repeat("#", MaxLineLength+1), "f:1:1025: the line has 1025 bytes, 1024 are allowed"},
		{"a gigantic line", "# " + strings.Repeat("x", MaxFileSize-2), "f:1:1025: the line has 65536 bytes, 1024 are allowed"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			for _, mode := range []Mode{Strict, Lenient} {
				_, _, err := Parse("f", []byte(tt.text), mode)
				if !errors.Is(err, ErrLimit) || err.Error() != tt.want {
					t.Errorf("mode %d: %v, want %s", mode, err, tt.want)
				}
			}
		})
	}
	full := strings.Repeat(strings.Repeat("#", MaxFileSize/MaxLines-1)+"\n", MaxLines)
	if _, _, err := Parse("f", []byte(full), Strict); err != nil || len(full) != MaxFileSize {
		t.Errorf("a file of exactly the limits: %v", err)
	}
}

func TestParseKeepsInput(t *testing.T) {
	b := []byte("3 abc\nmap m d\n")
	c, _, err := Parse("f", b, Strict)
	if err != nil {
		t.Fatal(err)
	}
	clear(b)
	if c.Values[3].V != "abc" || c.Rules[0].Dir != "d" {
		t.Error("the result refers to the input")
	}
}
