package pin

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"

	"github.com/lode-bpf/lode/internal/ktest"
	"github.com/lode-bpf/lode/sys"
)

// shareEnv makes this test's program the second of two processes that share.
const shareEnv = "PIN_TEST_SHARE"

// rounds is how often two processes pin the same name at once.
const rounds = 1000

// shareRound gets or makes the map of a round and returns its id, and writes 1
// into it: who has the map has both processes' marks in the end.
func shareRound(d *Dir, round int, slot uint32) (id uint32, created bool, err error) {
	fd, created, err := d.GetOrPin("round"+strconv.Itoa(round), sys.ObjMap, func() (*sys.FD, error) {
		return sys.MapCreate(sys.Live(), &sys.MapCreateAttr{MapType: sys.MapTypeArray, KeySize: 4, ValueSize: 4, MaxEntries: 2})
	})
	if err != nil {
		return 0, created, err
	}
	key, value := []uint32{slot}, []uint32{1}
	err = sys.MapUpdateElem(sys.Live(), &sys.MapElemAttr{MapFD: fd.Num(), Key: sys.SlicePtr(key), Value: sys.SlicePtr(value)})
	var info sys.MapInfo
	err = errors.Join(err, sys.ObjGetInfoByFD(sys.Live(), fd.Int(), &info), fd.Close())
	return info.ID, created, err
}

// second is the other process: a byte on its input starts a round, a line on its
// output ends it.
func second(root string) error {
	d, err := OpenDir(sys.Live(), root, DirOptions{})
	if err != nil {
		return err
	}
	defer d.Close()
	in := bufio.NewReader(os.Stdin)
	for round := 0; ; round++ {
		if _, err := in.ReadByte(); err == io.EOF {
			return nil
		}
		id, created, err := shareRound(d, round, 1)
		if err != nil {
			return err
		}
		if _, err := fmt.Println(id, created); err != nil {
			return err
		}
	}
}

// Two processes that pin one name at once, a thousand times: there is always one
// map, made by one of them, and both use it.
func TestKernelShareTwoProcesses(t *testing.T) {
	ktest.Root(t)
	if root := os.Getenv(shareEnv); root != "" {
		if err := second(root); err != nil {
			fmt.Println(err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	root := bpffs(t)
	d := openDir(t, root, DirOptions{})
	child := exec.Command("/proc/self/exe", "-test.run=^TestKernelShareTwoProcesses$")
	child.Env = append(os.Environ(), shareEnv+"="+root)
	in, err := child.StdinPipe()
	must(t, err)
	out, err := child.StdoutPipe()
	must(t, err, child.Start())
	lines := bufio.NewReader(out)
	made := [2]int{}
	for round := range rounds {
		_, err := in.Write([]byte{0})
		must(t, err)
		id, mine, err := shareRound(d, round, 0)
		must(t, err)
		line, err := lines.ReadString('\n')
		must(t, err)
		theirs := fmt.Sprintln(id, !mine)
		if line != theirs {
			t.Fatalf("round %d: here map %d, created %v; there %s", round, id, mine, strings.TrimSpace(line))
		}
		if mine {
			made[0]++
		} else {
			made[1]++
		}
		fd, err := d.Get("round"+strconv.Itoa(round), sys.ObjMap)
		must(t, err)
		for slot := range uint32(2) {
			key, value := []uint32{slot}, []uint32{0}
			must(t, sys.MapLookupElem(sys.Live(), &sys.MapElemAttr{MapFD: fd.Num(), Key: sys.SlicePtr(key), Value: sys.SlicePtr(value)}))
			if value[0] != 1 {
				t.Fatalf("round %d: process %d did not use the map that is pinned", round, slot)
			}
		}
		must(t, fd.Close())
	}
	must(t, in.Close(), child.Wait())
	t.Logf("made here %d times, there %d times", made[0], made[1])
}

// Somebody else pins in the moment between looking and pinning.
func TestKernelShareLosesRace(t *testing.T) {
	root := bpffs(t)
	d := openDir(t, root, DirOptions{})
	theirs := makeMap(t)
	fd, created, err := d.GetOrPin("m", sys.ObjMap, func() (*sys.FD, error) {
		pinAt(t, d, "m", theirs)
		return newMap()
	})
	if own(t, fd, err); created || mapID(t, fd) != mapID(t, theirs) {
		t.Errorf("created %v, map %d, want %d", created, mapID(t, fd), mapID(t, theirs))
	}
	failed := errors.New("no memory")
	if _, _, err := d.GetOrPin("n", sys.ObjMap, func() (*sys.FD, error) { return nil, failed }); !errors.Is(err, failed) {
		t.Error(err)
	}
	// Pinned by somebody whenever we pin, removed whenever we look.
	n := 0
	stop := pinner{sys.Live(), d, theirs}
	busy, err := OpenDir(stop, root, DirOptions{})
	must(t, err)
	defer busy.Close()
	_, _, err = busy.GetOrPin("busy", sys.ObjMap, func() (*sys.FD, error) { n++; return newMap() })
	if !errors.Is(err, ErrRaced) || n != maxTries {
		t.Errorf("%d tries, %v", n, err)
	}
}

// A pinner is a kernel on which somebody pins a name just before it is pinned, and
// removes it just before it is looked for.
type pinner struct {
	sys.Kernel
	d  *Dir
	fd *sys.FD
}

func (k pinner) BPF(cmd sys.Cmd, attr sys.Attr) (int, error) {
	if cmd == sys.CmdObjPin {
		_ = k.d.Pin("busy", k.fd.Int())
	}
	return k.Kernel.BPF(cmd, attr)
}

func (k pinner) FstatAt(dir int, path string, flags int) (sys.Stat, error) {
	if path == "busy" {
		_ = k.d.Remove("busy")
	}
	return k.Kernel.FstatAt(dir, path, flags)
}
