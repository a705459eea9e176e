package sys

import (
	"encoding/binary"
	"errors"
	"flag"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write golden files instead of comparing with them")

func golden(t *testing.T, name, got string) {
	t.Helper()
	path := "testdata/" + name
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (-want +got; `go test ./sys -update` accepts):\n%s", path, diff)
	}
}

// session makes one call of nearly every kind and returns what a caller sees.
func session(k Kernel) (seen []any) {
	see := func(v ...any) { seen = append(seen, v...) }
	m, err := MapCreate(k, &MapCreateAttr{MapType: MapTypeHash, KeySize: 4, ValueSize: 8, MaxEntries: 16, MapName: NewObjName("counts")})
	see(err)
	tails, _ := MapCreate(k, &MapCreateAttr{MapType: MapTypeProgArray, KeySize: 4, ValueSize: 4, MaxEntries: 2})
	insns := code(nil).op(opLoadImm, 1, 1, 0, m.Num()).op(0, 0, 0, 0, 0).mov(0, 2).exit()
	p, err := ProgLoad(k, &ProgLoadAttr{ProgType: ProgTypeXDP, Insns: BytesPtr(insns), InsnCount: 4, License: StringPtr("GPL"), LogSize: 99})
	see(err)

	key, value := []uint32{1}, []byte{1, 2, 3, 4, 5, 6, 7, 8}
	see(MapUpdateElem(k, &MapElemAttr{MapFD: m.Num(), Key: SlicePtr(key), Value: BytesPtr(value), Flags: BPF_NOEXIST}))
	see(MapUpdateElem(k, &MapElemAttr{MapFD: tails.Num(), Key: SlicePtr(key), Value: SlicePtr([]int32{p.Num()})}))
	see(MapLookupElem(k, &MapElemAttr{MapFD: m.Num(), Key: SlicePtr(key), Value: BytesPtr(value)}), string(value))
	batch := &MapBatchAttr{MapFD: m.Num(), Keys: SlicePtr([]uint32{1, 2}), Values: SlicePtr([]uint64{3, 4}), Count: 2}
	see(MapUpdateBatch(k, batch), batch.Count)
	see(MapFreeze(k, m.Int()))

	var mi MapInfo
	see(ObjGetInfoByFD(k, m.Int(), &mi), mi.Type, mi.Name, mi.MaxEntries)
	ids := make([]uint32, 2)
	pi := ProgInfo{MapIDs: SlicePtr(ids), NrMapIDs: 2}
	see(ObjGetInfoByFD(k, p.Int(), &pi), pi.Tag, ids[0] == mi.ID, ids[1] == mi.ID)
	id, err := GetNextID(k, ObjMap, 0)
	see(id != 0, err)

	n, err := k.OpenAt(AT_FDCWD, "/sys/fs/bpf", OpenHow{Flags: O_DIRECTORY | O_PATH, Resolve: RESOLVE_NO_SYMLINKS})
	see(err)
	dir := NewFD(k, n)
	fs, err := k.Fstatfs(n)
	see(fs.Type, fs.Flags&ST_RDONLY, err)
	st, err := k.FstatAt(n, "", AT_EMPTY_PATH)
	again, _ := k.FstatAt(n, "", AT_EMPTY_PATH)
	see(st.Mode, st.UID, st == again, err)
	see(k.MkdirAt(n, "app", 0o700), k.SymlinkAt("app", n, "alias"))
	list, err := k.ReadDir(n)
	see(len(list), err)
	see(ObjPin(k, &ObjAttr{Pathname: StringPtr("counts"), BPFFD: m.Num(), FileFlags: BPF_F_PATH_FD, PathFD: dir.Num()}))
	see(k.RenameAt(n, "counts", n, "app/counts", RENAME_NOREPLACE), k.Fchmod(n, 0o755), k.Fchown(n, 0, 1))
	see(errors.Is(k.UnlinkAt(n, "counts", 0), ENOENT))
	see(k.Mount("bpf", "/mnt", "bpf", MS_NOSUID, "mode=0700"), k.Unmount("/mnt", MNT_DETACH))
	mem, err := k.Mmap(m.Int(), 0, 4096, PROT_READ|PROT_WRITE, MAP_SHARED)
	see(len(mem), err, k.Munmap(mem), k.RaiseMemlock())
	l, err := LinkCreate(k, &LinkCreateAttr{ProgFD: p.Num(), Target: 1, AttachType: AttachXDP})
	see(err)
	cg, err := LinkCreate(k, &LinkCreateAttr{ProgFD: p.Num(), Target: dir.Num(), AttachType: AttachCgroupInetEgress})
	see(err)
	d, err := m.Dup()
	see(err)
	tp := &ReadFile{Path: "/sys/kernel/tracing/events/sched/sched_switch/id"}
	_, err = k.Call(tp)
	see(string(tp.Data), err)
	n, err = k.Call(&PerfEventOpen{Type: 2, Config: 309, PID: -1, CPU: 0})
	see(err)
	event := NewFD(k, n)
	for _, c := range []Call{&Ioctl{FD: n, Request: PERF_EVENT_IOC_SET_BPF, Arg: p.Int(), ArgFD: true}, &Ioctl{FD: n, Request: PERF_EVENT_IOC_ENABLE},
		&SetSockOpt{FD: dir.Int(), Level: 1, Name: 50, Value: p.Num(), ValueFD: true}, &WriteFile{Path: "/sys/kernel/tracing/kprobe_events", Data: "-:lode/x"}} {
		_, err := k.Call(c)
		see(err)
	}
	nl := &Netlink{Message: make([]byte, 20), FDAt: 16}
	binary.NativeEndian.PutUint32(nl.Message[16:], uint32(p.Num()))
	_, err = k.Call(nl)
	see(nl.Answers, err)
	for _, fd := range []*FD{event, d, cg, l, dir, p, tails, m} {
		see(fd.Close())
	}
	return seen
}

// The text of a recording does not depend on the numbers of descriptors, and a
// replay of it shows the caller the same things.
func TestRecordReplay(t *testing.T) {
	var text strings.Builder
	k := newFake()
	r := NewRecorder(k, &text)
	want := session(r)
	if err := r.Err(); err != nil {
		t.Fatal(err)
	}
	if !hostBigEndian { // keys, values and instructions are in the byte order of the machine
		golden(t, "session.txt", text.String())
	}
	if len(k.open) != 0 {
		t.Errorf("left open: %v", k.open)
	}

	k.next = 500
	var second strings.Builder
	session(NewRecorder(k, &second))
	if diff := cmp.Diff(text.String(), second.String()); diff != "" {
		t.Errorf("the second recording differs (-first +second):\n%s", diff)
	}

	p, err := NewReplay(strings.NewReader("# a comment\n\n" + text.String()))
	if err != nil {
		t.Fatal(err)
	}
	got := session(p)
	if err := p.Finish(); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("the replay shows something else (-recorded +replayed):\n%s", diff)
	}
}

func TestReplayFailure(t *testing.T) {
	k := newFake()
	k.fail[CmdProgLoad] = EACCES
	var text strings.Builder
	load := func(k Kernel) error {
		_, err := ProgLoad(k, progTrial(ProgTypeXDP).attr())
		return err
	}
	if err := load(NewRecorder(k, &text)); !errors.Is(err, EACCES) {
		t.Fatal(err)
	}
	p, _ := NewReplay(strings.NewReader(text.String()))
	err := load(p)
	var e *Error
	if !errors.As(err, &e) || e.Errno != EACCES || e.Cmd != CmdProgLoad || e.Subject != "xdp program" {
		t.Errorf("replayed: %v", err)
	}
}

func TestReplayDivergence(t *testing.T) {
	const recording = "BPF_MAP_CREATE map_type=hash key_size=4 value_size=8 max_entries=1 = map#1\nclose map#1 = 0\n"
	create := func(k Kernel, typ MapType) (*FD, error) {
		return MapCreate(k, &MapCreateAttr{MapType: typ, KeySize: 4, ValueSize: 8, MaxEntries: 1})
	}
	p, _ := NewReplay(strings.NewReader(recording))
	_, err := create(p, MapTypeArray)
	var e *ReplayError
	if !errors.As(err, &e) || e.Line != 1 || !strings.Contains(e.Got, "map_type=array") {
		t.Errorf("another type: %v", err)
	}
	if _, again := create(p, MapTypeHash); again != err {
		t.Errorf("after that: %v", again)
	}

	p, _ = NewReplay(strings.NewReader(recording))
	fd, err := create(p, MapTypeHash)
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Finish(); !errors.As(err, &e) || e.Line != 2 || e.Want != "close map#1 = 0" {
		t.Errorf("unfinished: %v", err)
	}
	fd.Close()
	if err := p.Finish(); err != nil {
		t.Errorf("finished: %v", err)
	}
	if _, err := create(p, MapTypeHash); !errors.As(err, &e) || e.Want != "" {
		t.Errorf("behind the end: %v", err)
	}
	for _, line := range []string{"map", "map#2", "EWHAT", "", "[", `x="`} {
		p, _ := NewReplay(strings.NewReader("BPF_MAP_CREATE map_type=hash key_size=4 value_size=8 max_entries=1 = " + line + "\n"))
		if _, err := create(p, MapTypeHash); !errors.As(err, &e) {
			t.Errorf("answer %q: %v", line, err)
		}
	}
}

func TestFault(t *testing.T) {
	count := &Fault{Kernel: newFake()}
	session(count)
	total := count.Calls()
	if total < 25 {
		t.Fatalf("only %d calls were counted", total)
	}
	for _, after := range []bool{false, true} {
		for n := 1; n <= total; n++ {
			k := newFake()
			var ops []string
			f := &Fault{Kernel: k, N: n, Errno: EINTR, After: after, OnCall: func(_ int, op string) { ops = append(ops, op) }}
			session(f)
			if len(ops) < n {
				t.Fatalf("call %d was not made", n)
			}
			if len(k.open) != 0 {
				t.Errorf("call %d (%s, after %t) failed and left %v open", n, ops[n-1], after, k.open)
			}
		}
	}
}

func TestFaultError(t *testing.T) {
	f := &Fault{Kernel: newFake(), N: 2, Errno: ENOMEM}
	if _, err := MapCreate(f, &MapCreateAttr{MapType: MapTypeHash}); err != nil {
		t.Fatal(err)
	}
	_, err := MapCreate(f, &MapCreateAttr{MapType: MapTypeArray, MapName: NewObjName("b")})
	var e *Error
	if !errors.As(err, &e) || e.Errno != ENOMEM || e.Op != "BPF_MAP_CREATE" || e.Subject != `array map "b"` {
		t.Errorf("%+v", err)
	}
	if _, err := MapCreate(f, &MapCreateAttr{MapType: MapTypeHash}); err != nil {
		t.Errorf("the call after it: %v", err)
	}
}
