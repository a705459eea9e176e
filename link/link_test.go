package link

import (
	"debug/elf"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/lode-bpf/lode/sys"
)

func TestMatches(t *testing.T) {
	for _, tt := range []struct {
		pattern, name string
		want          bool
	}{
		{"vfs_read", "vfs_read", true}, {"vfs_read", "vfs_readv", false}, {"vfs_*", "vfs_read", true}, {"*", "", true}, {"*", "x", true},
		{"", "", true}, {"", "x", false}, {"?", "x", true}, {"?", "", false}, {"*_read", "vfs_read", true}, {"*_read", "vfs_read_", false},
		{"a*b*c", "a1b2c", true}, {"a*b*c", "acb", false}, {"a**c", "abc", true}, {"a?c*", "abcd", true}, {"*a*", "bab", true}, {"x*", "", false},
	} {
		if got := matches(tt.pattern, tt.name); got != tt.want {
			t.Errorf("matches(%q, %q) = %t", tt.pattern, tt.name, got)
		}
	}
	long := strings.Repeat("a", 1000)
	if matches(strings.Repeat("a*", 200)+"b", long) {
		t.Error("a pattern that ends in b matches a name of a")
	}
}

func TestFindFile(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("PATH", dir)
	t.Setenv("LD_LIBRARY_PATH", dir)
	for _, name := range []string{"prog", "libx.so.6"} {
		if err := os.WriteFile(filepath.Join(dir, name), nil, 0o700); err != nil {
			t.Fatal(err)
		}
		if got, err := FindFile(name); got != dir+"/"+name || err != nil {
			t.Errorf("%s: %s, %v", name, got, err)
		}
	}
	if got, err := FindFile("./x"); got != "./x" || err != nil {
		t.Errorf("a path: %s, %v", got, err)
	}
	if _, err := FindFile("no such file"); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("no such file: %v", err)
	}
}

// The offsets are those that the standard library's reader gives.
func TestFunctionsOfAFile(t *testing.T) {
	path, err := FindFile("libc.so.6")
	if err != nil {
		t.Skip("no C library to look into: ", err)
	}
	f, err := elf.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	symbols, err := f.DynamicSymbols()
	if err != nil {
		t.Fatal(err)
	}
	want := map[uint64]bool{}
	for _, s := range symbols {
		if typ := elf.ST_TYPE(s.Info); (typ == elf.STT_FUNC || typ == elf.STT_GNU_IFUNC) && s.Section != elf.SHN_UNDEF && strings.HasPrefix(s.Name, "getp") {
			for _, p := range f.Progs {
				if p.Type == elf.PT_LOAD && p.Vaddr <= s.Value && s.Value < p.Vaddr+p.Memsz {
					want[s.Value-p.Vaddr+p.Off] = true
				}
			}
		}
	}
	offsets, err := matchingFunctions(path, "getp*")
	if err != nil {
		t.Fatal(err)
	}
	got := map[uint64]bool{}
	for _, o := range offsets {
		got[o] = true
	}
	if diff := cmp.Diff(want, got); diff != "" || len(got) != len(offsets) {
		t.Errorf("%d offsets (-want +got):\n%s", len(offsets), diff)
	}
	var missing *SymbolError
	if _, err := fileOffsets(path, []string{"getpid", "no_such_function"}); !errors.As(err, &missing) || missing.Symbol != "no_such_function" {
		t.Errorf("a function that is not there: %v", err)
	}
}

func TestNotAnExecutable(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x")
	whole, err := os.ReadFile("../testdata/counter.bpf.o")
	if err != nil {
		t.Fatal(err)
	}
	for n := 0; n < len(whole); n += 61 { // cut at many places: an error or no functions, no panic
		if err := os.WriteFile(path, whole[:n], 0o600); err != nil {
			t.Fatal(err)
		}
		if offsets, err := matchingFunctions(path, "*"); err == nil {
			t.Errorf("%d bytes: %v", n, offsets)
		}
	}
}

func FuzzExecutable(f *testing.F) {
	seed, err := os.ReadFile("../testdata/counter.bpf.o")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(seed)
	path := filepath.Join(f.TempDir(), "x")
	f.Fuzz(func(t *testing.T, b []byte) {
		if err := os.WriteFile(path, b, 0o600); err != nil {
			t.Fatal(err)
		}
		matchingFunctions(path, "*")
	})
}

func TestAutoRefuses(t *testing.T) {
	k, _ := sys.NewReplay(strings.NewReader(""))
	for _, tt := range []struct {
		t    Target
		bare bool
	}{
		{Target{}, false}, {Target{Kind: "none"}, false}, {Target{Kind: "struct_ops"}, false}, {Target{Kind: "kprobe"}, true},
		{Target{Kind: "tracepoint"}, true}, {Target{Kind: "uprobe-multi"}, true}, {Target{Kind: "something"}, false},
	} {
		_, err := Auto(k, 3, tt.t)
		var e *AutoError
		if !errors.As(err, &e) || e.Bare != tt.bare {
			t.Errorf("%+v: %v", tt.t, err)
		}
	}
}

// What is sent to the kernel, as recordings show it: of hooks that no kernel of the
// tests has, too.
func TestRequests(t *testing.T) {
	for _, tt := range []struct {
		name      string
		attach    func(k sys.Kernel) (*Link, error)
		recording string
	}{
		{`tracepoint "sched/sched_switch"`, func(k sys.Kernel) (*Link, error) { return Tracepoint(k, 3, "sched", "sched_switch", 7) },
			`read path="/sys/kernel/tracing/events/sched/sched_switch/id" = 0 data="309\n"
perf_event_open type=2 config=0x135 period=1 pid=-1 cpu=0 = perf#1
BPF_LINK_CREATE prog_fd=ext#1 target_fd=perf#1 attach_type=perf_event bpf_cookie=0x7 = link#1
ioctl(0x2400) fd=perf#1 arg=0 = 0
close link#1 = 0
close perf#1 = 0
`},
		{"lirc_mode2", func(k sys.Kernel) (*Link, error) { return LIRC(k, 3, 4) },
			`dup ext#1 = ext#2
dup ext#3 = ext#4
BPF_PROG_ATTACH target_fd=ext#2 attach_bpf_fd=ext#4 attach_type=lirc_mode2 = 0
BPF_PROG_DETACH target_fd=ext#2 attach_bpf_fd=ext#4 attach_type=lirc_mode2 = 0
close ext#4 = 0
close ext#2 = 0
`},
	} {
		k, _ := sys.NewReplay(strings.NewReader(tt.recording))
		l, err := tt.attach(k)
		if err != nil {
			t.Errorf("%s: %v", tt.name, err)
			continue
		}
		if err := errors.Join(l.Close(), l.Close(), k.Finish()); err != nil {
			t.Errorf("%s: %v", tt.name, err)
		}
		if l.String() != tt.name {
			t.Errorf("%s is called %s", tt.name, l)
		}
	}
}

func TestAttributes(t *testing.T) {
	m := newMessage(rtmSetLink, nlmCreate).u32(1, 2).attrU32(3, 4).attrString(5, "abc").attr(6, []byte{1, 2, 3, 4, 5})
	if len(m)%4 != 0 {
		t.Errorf("%d bytes", len(m))
	}
	got := map[uint16]string{}
	for typ, data := range attributes(m[24:]) {
		got[typ] = string(data)
	}
	if diff := cmp.Diff(map[uint16]string{3: string(message(nil).u32(4)), 5: "abc\x00", 6: "\x01\x02\x03\x04\x05"}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	for n := range len(m) - 24 { // cut anywhere
		for range attributes(m[24 : 24+n]) {
		}
		attributeU32(m[24:24+n], 5)
	}
}
