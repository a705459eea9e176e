package sys

import (
	"errors"
	"io/fs"
	"testing"
)

func TestErrorText(t *testing.T) {
	create := &MapCreateAttr{MapType: MapTypeHash, MapName: NewObjName("counts")}
	for _, tt := range []struct {
		err  error
		want string
	}{
		{bpfError(CmdMapCreate, create, ENOTSUPP), `sys: BPF_MAP_CREATE of hash map "counts": operation not supported (ENOTSUPP)`},
		{&Error{Op: "openat2", Subject: `"x\n"`, Errno: ENOTSUPP, Hint: "try y"}, `sys: openat2 of "x\n": operation not supported (ENOTSUPP): try y`},
		{bpfError(CmdMapFreeze, &MapElemAttr{}, ENOTSUPP), "sys: BPF_MAP_FREEZE: operation not supported (ENOTSUPP)"},
		{&NotSupported{Feature: "map_type arena", Since: "6.9", Err: bpfError(CmdMapCreate, &MapCreateAttr{MapType: MapTypeArena}, ENOTSUPP)},
			"sys: this kernel lacks map_type arena (it came with Linux 6.9; a kernel's configuration may leave it out): BPF_MAP_CREATE of arena map: operation not supported (ENOTSUPP)"},
	} {
		if got := tt.err.Error(); got != tt.want {
			t.Errorf("got  %s\nwant %s", got, tt.want)
		}
	}
}

func TestErrorSubject(t *testing.T) {
	for _, tt := range []struct {
		attr Attr
		want string
	}{
		{nil, ""},
		{&MapCreateAttr{MapType: MapTypeArray}, "array map"},
		{&ProgLoadAttr{ProgType: ProgTypeXDP, ProgName: NewObjName("p")}, `xdp program "p"`},
		{&WithCommon{Attr: &MapCreateAttr{MapType: 99}}, "maptype(99) map"},
		{&ObjAttr{Pathname: StringPtr("/sys/fs/bpf/a\x1b")}, `"/sys/fs/bpf/a\x1b"`},
		{&RawTracepointOpenAttr{Name: StringPtr("sched_switch")}, `tracepoint "sched_switch"`},
		{&RawTracepointOpenAttr{}, ""},
		{&GetIDAttr{ID: 7}, "id 7"},
		{&LinkCreateNetfilterAttr{AttachType: AttachNetfilter}, "hook netfilter"},
		{&ProgQueryAttr{AttachType: AttachXDP}, "hook xdp"},
	} {
		if got := subject(tt.attr); got != tt.want {
			t.Errorf("subject(%T) = %q, want %q", tt.attr, got, tt.want)
		}
	}
}

func TestErrorIs(t *testing.T) {
	for _, tt := range []struct {
		n      Errno
		target error
		want   bool
	}{
		{ENOENT, ENOENT, true}, {ENOENT, fs.ErrNotExist, true}, {EPERM, fs.ErrPermission, true}, {EACCES, fs.ErrPermission, true},
		{EEXIST, fs.ErrExist, true}, {EINVAL, ENOENT, false}, {ENOTSUPP, errors.ErrUnsupported, true},
		{EOPNOTSUPP, errors.ErrUnsupported, true}, {ENOSYS, ErrNotSupported, !onLinux},
	} {
		err := error(&Error{Op: "x", Errno: tt.n})
		if got := errors.Is(err, tt.target); got != tt.want {
			t.Errorf("errors.Is(%s, %v) = %t", ErrnoName(tt.n), tt.target, got)
		}
		if got := ErrnoOf(err); got != tt.n {
			t.Errorf("ErrnoOf(%s) = %v", ErrnoName(tt.n), got)
		}
	}
	if ErrnoOf(errors.New("x")) != 0 || ErrnoOf(nil) != 0 {
		t.Error("ErrnoOf finds a number where there is none")
	}
	if !errors.Is(&NotSupported{Feature: "x", Err: &Error{Errno: EINVAL}}, errors.ErrUnsupported) {
		t.Error("NotSupported is not errors.ErrUnsupported")
	}
}

func TestParseCPUs(t *testing.T) {
	for _, tt := range []struct {
		list string
		want int
	}{
		{"0", 1}, {"0\n", 1}, {"0-3\n", 4}, {"0-3,5", 6}, {"0,2", 3}, {"4-7,0-1", 8}, {"0-0", 1}, {"0-65535", 65536},
		{"", -1}, {"\n", -1}, {"-", -1}, {"3-1", -1}, {"a", -1}, {"0-", -1}, {"0,,1", -1}, {"0-65536", -1}, {"0 - 3", -1}, {"-1", -1},
		{"99999999999999999999", -1},
	} {
		got, err := ParseCPUs(tt.list)
		if err != nil {
			got = -1
			var bad *CPUListError
			if !errors.As(err, &bad) || bad.List != tt.list {
				t.Errorf("ParseCPUs(%q): %v", tt.list, err)
			}
		}
		if got != tt.want {
			t.Errorf("ParseCPUs(%q) = %d, want %d", tt.list, got, tt.want)
		}
	}
}
