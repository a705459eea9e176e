package sys

import "testing"

// Which broken-off commands are made again: those that the kernel did not do.
func TestAgain(t *testing.T) {
	for _, tt := range []struct {
		cmd  Cmd
		attr Attr
		e    Errno
		want bool
	}{
		{CmdProgLoad, &ProgLoadAttr{}, EAGAIN, true},
		{CmdProgLoad, &ProgLoadAttr{}, EINTR, false},
		{CmdProgLoad, &ProgLoadAttr{}, EINVAL, false},
		{CmdProgTestRun, &ProgTestRunAttr{}, EINTR, true},
		{CmdProgTestRun, &ProgTestRunAttr{}, EAGAIN, false},
		{CmdProgTestRun, &ProgTestRunAttr{Flags: BPF_F_TEST_XDP_LIVE_FRAMES}, EINTR, false}, // frames are out already
		{CmdMapUpdateElem, &MapElemAttr{}, EAGAIN, false},
		{CmdMapCreate, &MapCreateAttr{}, EINTR, false},
	} {
		if got := again(tt.cmd, tt.attr, tt.e); got != tt.want {
			t.Errorf("%s after %s: %t", tt.cmd, ErrnoName(tt.e), got)
		}
	}
}

func TestEffectiveCaps(t *testing.T) {
	const status = "Name:\tx\nCapPrm:\t0000000000000000\nCapEff:\t000001c000201000\nCapBnd:\t0\n"
	caps, ok := effectiveCaps([]byte(status))
	if want := uint64(1<<12 | 1<<21 | 1<<38 | 1<<39 | 1<<40); !ok || caps != want {
		t.Errorf("%#x, want %#x", caps, want)
	}
	for _, bad := range []string{"", "CapEff:\t1\n", "x\nCapEff:", "x\nCapEff:\tzz\n"} {
		if caps, ok := effectiveCaps([]byte(bad)); ok {
			t.Errorf("%q: %#x", bad, caps)
		}
	}
}

func TestInUserNamespace(t *testing.T) {
	for m, want := range map[string]bool{
		"         0          0 4294967295\n": false, "0 0 1\n": true, "0 1000 1\n": true, "0 100000 65536\n": true, "": false,
	} {
		if got := inUserNamespace([]byte(m)); got != want {
			t.Errorf("%q: %t", m, got)
		}
	}
}

func TestAppendEntries(t *testing.T) {
	record := func(name string) []byte {
		b := make([]byte, (19+len(name)+1+7)&^7)
		b[0], b[16], b[18] = 9, byte(len(b)), DT_REG
		if hostBigEndian {
			b[0], b[7], b[16], b[17] = 0, 9, 0, byte(len(b))
		}
		copy(b[19:], name)
		return b
	}
	var all []byte
	for _, n := range []string{".", "a", "..", "longer name"} {
		all = append(all, record(n)...)
	}
	got := appendEntries(nil, all)
	if len(got) != 2 || got[0] != (DirEntry{"a", 9, DT_REG}) || got[1].Name != "longer name" {
		t.Errorf("%+v", got)
	}
	for n := range len(all) { // cut anywhere: no panic, nothing invented
		if got := appendEntries(nil, all[:n]); len(got) > 2 {
			t.Errorf("%d bytes: %+v", n, got)
		}
	}
}
