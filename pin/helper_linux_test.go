package pin

import (
	"encoding/binary"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/lode-bpf/lode/internal/ktest"
	"github.com/lode-bpf/lode/sys"
)

// bpffs is a new bpffs, of which nobody else has the right to write.
func bpffs(t testing.TB) string {
	t.Helper()
	root := ktest.BPFFS(t)
	if err := os.Chmod(root, 0o700); err != nil {
		t.Fatal(err)
	}
	return root
}

func own(t testing.TB, fd *sys.FD, err error) *sys.FD {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { fd.Close() })
	return fd
}

func newMap() (*sys.FD, error) {
	return sys.MapCreate(sys.Live(), &sys.MapCreateAttr{MapType: sys.MapTypeArray, KeySize: 4, ValueSize: 4, MaxEntries: 1, MapName: sys.NewObjName("pin_test")})
}

func makeMap(t testing.TB) *sys.FD {
	t.Helper()
	fd, err := newMap()
	return own(t, fd, err)
}

// insns are instructions in the byte order of this machine: opcode, registers,
// offset, immediate.
func insns(list ...[4]int) []byte {
	var b []byte
	for _, i := range list {
		b = append(b, byte(i[0]), byte(i[1]))
		b = binary.NativeEndian.AppendUint16(b, uint16(i[2]))
		b = binary.NativeEndian.AppendUint32(b, uint32(i[3]))
	}
	return b
}

func makeProgram(t testing.TB, typ sys.ProgType) *sys.FD {
	t.Helper()
	code := insns([4]int{0xb7, 0, 0, 1}, [4]int{0x95, 0, 0, 0}) // r0 = 1; exit
	fd, err := sys.ProgLoad(sys.Live(), &sys.ProgLoadAttr{ProgType: typ, Insns: sys.BytesPtr(code), InsnCount: uint32(len(code) / 8), License: sys.StringPtr("GPL"),
		ProgName: sys.NewObjName("pin_test_prog"), ExpectedAttachType: sys.AttachCgroupInetIngress})
	return own(t, fd, err)
}

// makeLink attaches a program to a new cgroup.
func makeLink(t testing.TB) *sys.FD {
	t.Helper()
	group, err := unix.Open(ktest.Cgroup(t), unix.O_RDONLY|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(group)
	fd, err := sys.LinkCreate(sys.Live(), &sys.LinkCreateAttr{ProgFD: makeProgram(t, sys.ProgTypeCgroupSKB).Num(), Target: int32(group), AttachType: sys.AttachCgroupInetIngress})
	return own(t, fd, err)
}

func mapID(t testing.TB, fd *sys.FD) uint32 {
	t.Helper()
	var info sys.MapInfo
	if err := sys.ObjGetInfoByFD(sys.Live(), fd.Int(), &info); err != nil {
		t.Fatal(err)
	}
	return info.ID
}

func openDir(t testing.TB, path string, opts DirOptions) *Dir {
	t.Helper()
	d, err := OpenDir(sys.Live(), path, opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.Close() })
	return d
}

func pinAt(t testing.TB, d *Dir, name string, fd *sys.FD) {
	t.Helper()
	if err := d.Pin(name, fd.Int()); err != nil {
		t.Fatal(err)
	}
}

// tree lists what is below a directory, without the files that bpffs has itself.
func tree(t testing.TB, root string) []string {
	t.Helper()
	var out []string
	err := filepath.WalkDir(root, func(p string, e os.DirEntry, err error) error {
		rel := strings.TrimPrefix(p, root)
		if err == nil && !slices.Contains([]string{"", "/maps.debug", "/progs.debug"}, rel) {
			out = append(out, rel)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// must fails the test if one of the errors is not nil.
func must(t testing.TB, errs ...error) {
	t.Helper()
	for _, err := range errs {
		if err != nil {
			t.Fatal(err)
		}
	}
}

// An oldKernel lacks what later kernels have: BPF_F_PATH_FD (6.5) and
// RENAME_EXCHANGE on bpffs (5.16).
type oldKernel struct{ sys.Kernel }

func (k oldKernel) BPF(cmd sys.Cmd, attr sys.Attr) (int, error) {
	if a, ok := attr.(*sys.ObjAttr); ok && a.FileFlags&sys.BPF_F_PATH_FD != 0 {
		return -1, sys.EINVAL
	}
	return k.Kernel.BPF(cmd, attr)
}

func (k oldKernel) RenameAt(oldDir int, oldPath string, newDir int, newPath string, flags uint) error {
	if flags&sys.RENAME_EXCHANGE != 0 {
		return sys.EINVAL
	}
	return k.Kernel.RenameAt(oldDir, oldPath, newDir, newPath, flags)
}

// kernels are the live kernel and one that lacks what later kernels have.
func kernels() map[string]sys.Kernel {
	return map[string]sys.Kernel{"live": sys.Live(), "old": oldKernel{sys.Live()}}
}
