package lode_test

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/lode-bpf/lode"
	"github.com/lode-bpf/lode/internal/ktest"
	"github.com/lode-bpf/lode/maps"
	"github.com/lode-bpf/lode/sys"
)

// A child is this test binary again, loading an object as often as it is told
// to. Its arguments stand in these variables.
const (
	childRoot   = "LODE_TEST_CHILD_ROOT"
	childObject = "LODE_TEST_CHILD_OBJECT"
)

func TestMain(m *testing.M) {
	if root := os.Getenv(childRoot); root != "" {
		os.Exit(child(root, os.Getenv(childObject)))
	}
	os.Exit(m.Run())
}

// child loads once for each byte on its standard input, and answers with the id
// of the map that it got.
func child(root, object string) int {
	for {
		if _, err := os.Stdin.Read(make([]byte, 1)); err != nil {
			return 0
		}
		c, err := lode.Load(context.Background(), object, lode.LoadOptions{Policy: lode.Policy{PinRoot: root, Persist: true}})
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		info, err := c.Map("packets").Info()
		if err != nil {
			return 1
		}
		fmt.Println(info.ID)
		if err := c.Close(); err != nil {
			return 1
		}
	}
}

type process struct {
	*exec.Cmd
	in  io.WriteCloser
	out io.Reader
}

func start(t *testing.T, root string) *process {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	p := &process{Cmd: exec.Command(self)}
	p.Env = append(os.Environ(), childRoot+"="+root, childObject+"="+ktest.LoadablePath(t, "counter"))
	p.Stderr = os.Stderr
	if p.in, err = p.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	if p.out, err = p.StdoutPipe(); err != nil {
		t.Fatal(err)
	}
	if err := p.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.in.Close(); p.Wait() })
	return p
}

// budget ends a loop of rounds that a slow machine would not get through.
func budget(d time.Duration) func() bool {
	end := time.Now().Add(d)
	return func() bool { return time.Now().Before(end) }
}

// TestKernelRace has two processes load the same object at the same moment,
// again and again: they always end with one map, which both use.
func TestKernelRace(t *testing.T) {
	root := filepath.Join(ktest.BPFFS(t), "app")
	a, b := start(t, root), start(t, root)
	more := budget(15 * time.Second)
	n := 0
	for ; n < 200 && more(); n++ {
		for _, p := range []*process{a, b} {
			if _, err := p.in.Write([]byte{1}); err != nil {
				t.Fatal(err)
			}
		}
		var ids [2]uint32
		for i, p := range []*process{a, b} {
			if _, err := fmt.Fscan(p.out, &ids[i]); err != nil {
				t.Fatalf("round %d: %v", n, err)
			}
		}
		m, err := maps.FromPin(sys.Live(), filepath.Join(root, "packets"), 0)
		if err != nil {
			t.Fatal(err)
		}
		info, err := m.Info()
		m.Close()
		if err != nil || ids[0] != ids[1] || ids[0] != info.ID {
			t.Fatalf("round %d: the processes use the maps %d and %d, pinned is %d (%v)", n, ids[0], ids[1], info.ID, err)
		}
		if err := os.Remove(filepath.Join(root, "packets")); err != nil {
			t.Fatal(err)
		}
	}
	t.Logf("%d rounds", n)
}

// TestKernelKilled kills a process somewhere in the middle of a load, again and
// again: the next load succeeds.
func TestKernelKilled(t *testing.T) {
	root := filepath.Join(ktest.BPFFS(t), "app")
	r := rand.New(rand.NewPCG(1, 2))
	more := budget(15 * time.Second)
	n := 0
	for ; n < 200 && more(); n++ {
		p := start(t, root)
		if _, err := p.in.Write([]byte{1}); err != nil {
			t.Fatal(err)
		}
		done := make(chan struct{})
		go func() { p.Wait(); close(done) }()
		select {
		case <-time.After(time.Duration(r.IntN(40)) * time.Millisecond):
		case <-done:
		}
		p.Process.Kill()
		<-done
		c, err := counter(t, root, nil)
		if err != nil {
			t.Fatalf("round %d: %v", n, err)
		}
		if err := c.Close(); err != nil {
			t.Fatal(err)
		}
		if n%2 == 0 { // every other load finds nothing pinned
			if err := os.RemoveAll(root); err != nil {
				t.Fatal(err)
			}
		}
	}
	t.Logf("%d rounds", n)
}
