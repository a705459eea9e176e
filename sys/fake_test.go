package sys

import (
	"sync"
	"unsafe"
)

// A fake is a Kernel of maps that only exist here: enough to test what stands in
// front of a kernel, on any system.
type fake struct {
	mu   sync.Mutex
	next int
	open map[int]bool
	fail map[Cmd]Errno
}

func newFake() *fake { return &fake{next: 7, open: map[int]bool{}, fail: map[Cmd]Errno{}} }

func (f *fake) fd() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.next += 3 // numbers that a recording must not show
	f.open[f.next] = true
	return f.next
}

func (f *fake) BPF(cmd Cmd, attr Attr) (int, error) {
	if e := f.fail[cmd]; e != 0 {
		return -1, bpfError(cmd, attr, e)
	}
	if returnsFD(cmd) {
		return f.fd(), nil
	}
	switch a := attr.(type) {
	case *MapElemAttr:
		if cmd == CmdMapLookupElem {
			copy(a.Value.bytes(8), "\x2a\x00\x00\x00\x00\x00\x00\x01")
		}
	case *MapBatchAttr:
		a.Count = 1
	case *GetIDAttr:
		a.NextID = a.ID + 41
	case *infoCall:
		switch info := a.info.(type) {
		case *MapInfo:
			*info = MapInfo{Type: MapTypeHash, ID: 4711, KeySize: 4, ValueSize: 8, MaxEntries: 16, Name: NewObjName("counts"), NetNSIno: 9}
		case *ProgInfo:
			info.Type, info.ID, info.Tag, info.LoadTime = ProgTypeXDP, 42, [8]byte{1, 2}, 123456
			if !info.MapIDs.IsNil() {
				copy(unsafe.Slice((*uint32)(info.MapIDs.Unsafe()), info.NrMapIDs), []uint32{4711, 4712})
			}
		}
	}
	return 0, nil
}

func (f *fake) OpenAt(int, string, OpenHow) (int, error)             { return f.fd(), nil }
func (f *fake) MkdirAt(int, string, uint32) error                    { return nil }
func (f *fake) UnlinkAt(int, string, int) error                      { return &Error{Op: "unlinkat", Errno: ENOENT} }
func (f *fake) SymlinkAt(string, int, string) error                  { return nil }
func (f *fake) RenameAt(int, string, int, string, uint) error        { return nil }
func (f *fake) Fstatfs(int) (Statfs, error)                          { return Statfs{Type: BPF_FS_MAGIC, Flags: 0x1020}, nil }
func (f *fake) Fchmod(int, uint32) error                             { return nil }
func (f *fake) Fchown(int, int, int) error                           { return nil }
func (f *fake) Mount(string, string, string, uintptr, string) error  { return nil }
func (f *fake) Unmount(string, int) error                            { return nil }
func (f *fake) Mmap(_ int, _ int64, n int, _, _ int) ([]byte, error) { return make([]byte, n), nil }
func (f *fake) Munmap([]byte) error                                  { return nil }
func (f *fake) RaiseMemlock() error                                  { return nil }
func (f *fake) Dup(int) (int, error)                                 { return f.fd(), nil }

func (f *fake) Call(c Call) (int, error) {
	switch c := c.(type) {
	case *PerfEventOpen:
		return f.fd(), nil
	case *ReadFile:
		c.Data = []byte("309\n")
	case *Netlink:
		c.Answers = [][]byte{{1, 2, 3, 4}, {5}}
	}
	return 0, nil
}

func (f *fake) FstatAt(int, string, int) (Stat, error) {
	return Stat{Dev: 77, Ino: 123456789, Mode: S_IFDIR | 0o1777, UID: 5}, nil
}

func (f *fake) ReadDir(int) ([]DirEntry, error) {
	return []DirEntry{{Name: "b c", Type: DT_DIR, Ino: 2}, {Name: "a", Type: DT_REG, Ino: 1}}, nil
}

func (f *fake) Close(fd int) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if !f.open[fd] {
		return &Error{Op: "close", Errno: EBADF}
	}
	delete(f.open, fd)
	return nil
}
