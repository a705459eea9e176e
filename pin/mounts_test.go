package pin

import (
	"errors"
	"io/fs"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const mountinfoText = `22 27 0:21 / /proc rw,nosuid shared:5 - proc proc rw
23 27 0:22 / /sys rw,nosuid shared:6 - sysfs sysfs rw
27 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw
35 23 0:30 / /sys/fs/bpf rw,nosuid shared:9 - bpf bpf rw,mode=700
90 27 0:44 / /run/my\040bpf rw - bpf bpf rw
91 27 0:45 / /a\134b\011c rw master:1 propagate_from:2 - bpf none rw
92 27 0:46 /sub /bound rw - bpf bpf rw
broken line
93 27 0:47 / /x rw -
`

func TestParseMountinfo(t *testing.T) {
	for _, tt := range []struct {
		name, text   string
		seen, hidden []string
	}{
		{"nothing", "", nil, nil},
		{"several", mountinfoText, []string{"/sys/fs/bpf", "/run/my bpf", "/a\\b\tc", "/bound"}, nil},
		{"covered by a mount above", mountinfoText + "99 27 0:50 / /sys rw - sysfs sysfs rw\n", []string{"/run/my bpf", "/a\\b\tc", "/bound"}, []string{"/sys/fs/bpf"}},
		{"covered by itself", "1 0 0:1 / /b rw - bpf bpf rw\n2 1 0:2 / /b rw - bpf bpf rw\n", []string{"/b"}, []string{"/b"}},
		{"not covered by a neighbour", "1 0 0:1 / /b/x rw - bpf bpf rw\n2 1 0:2 / /b/x2 rw - tmpfs tmpfs rw\n", []string{"/b/x"}, nil},
		{"a type behind optional fields named bpf", "1 0 0:1 / /b rw bpf - tmpfs bpf rw\n", nil, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			seen, hidden := parseMountinfo(tt.text)
			if diff := cmp.Diff([][]string{tt.seen, tt.hidden}, [][]string{seen, hidden}); diff != "" && len(seen)+len(tt.seen)+len(hidden)+len(tt.hidden) > 0 {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

func TestUnescape(t *testing.T) {
	for in, want := range map[string]string{
		"/a": "/a", `/a\040b`: "/a b", `\134`: `\`, `\012\011`: "\n\t", `\04`: `\04`, `\999`: `\999`, `\`: `\`, `\0400`: " 0",
	} {
		if got := unescape(in); got != want {
			t.Errorf("%q is %q, want %q", in, got, want)
		}
	}
}

func TestExplainHidden(t *testing.T) {
	empty := "23 27 0:22 / /sys rw - sysfs sysfs rw\n"
	for _, tt := range []struct{ name, own, first, want string }{
		{"nowhere", empty, empty, ""},
		{"nothing known of others", empty, "", ""},
		{"covered", mountinfoText + "99 27 0:50 / /sys rw - sysfs sysfs rw\n", "", `the one at "/sys/fs/bpf" is hidden by something that was mounted over it`},
		{"ip netns exec", empty, mountinfoText, `the system has one at "/sys/fs/bpf", but this process does not see it: it runs in a mount name space of its own`},
		{"elsewhere", empty, "1 0 0:1 / /b rw - bpf bpf rw\n", `the system has one at "/b"`},
	} {
		if got := explainHidden(tt.own, tt.first); !strings.HasPrefix(got, tt.want) || tt.want == "" && got != "" {
			t.Errorf("%s: %s", tt.name, got)
		}
	}
}

func TestErrors(t *testing.T) {
	missing := &NotBPFFSError{Path: "/a/b", At: "/a"}
	if !errors.Is(missing, fs.ErrNotExist) || errors.Is(&NotBPFFSError{Path: "/a", Type: 1}, fs.ErrNotExist) {
		t.Error("only what does not exist is fs.ErrNotExist")
	}
	for _, tt := range []struct {
		err  error
		want string
	}{
		{missing, `pin: "/a/b" does not exist, and "/a" is not in a bpffs, in which it could be made; mount one: mount -t bpf bpf DIR`},
		{&NotBPFFSError{Path: "/sys/fs/bpf", At: "/sys/fs/bpf", Type: sysfsMagic}, `pin: "/sys/fs/bpf" is not in a bpffs but in a file system of type 0x62656572; mount one: mount -t bpf bpf DIR (where /sys was mounted anew, as by ip netns exec, the bpffs on /sys/fs/bpf is hidden)`},
		{&LinkError{Path: "/b/x", Element: "x"}, `pin: "/b/x": "x" is a symbolic link or leads to another file system, which is not followed; give the path that it leads to`},
		{&KindError{Path: "/b/m", Want: "map", Have: Entry{Kind: 1, ID: 7, Type: "xdp", Object: "drop"}}, `pin: "/b/m" is a program "drop" (xdp, id 7); a map is wanted there`},
		{&KindError{Path: "/b/m", Want: "map", Have: Entry{Dir: true}}, `pin: "/b/m" is a directory; a map is wanted there`},
		{&PathError{Op: "open", Path: "/b/\x1b", Err: ErrForeign, Hint: "who"}, `pin: open "/b/\x1b": other users could change what is pinned there: who`},
		{&NoMountError{Path: "/sys/fs/bpf"}, `pin: no BPF file system is mounted at "/sys/fs/bpf" or elsewhere: mount one (mount -t bpf bpf /sys/fs/bpf), or let the configuration do it (mount yes)`},
	} {
		if diff := cmp.Diff(tt.want, tt.err.Error()); diff != "" {
			t.Errorf("-want +got:\n%s", diff)
		}
	}
}
