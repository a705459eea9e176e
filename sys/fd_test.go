package sys

import (
	"strings"
	"sync"
	"testing"
)

// closes is a Kernel that counts calls of Close; nothing else may be called.
type closes struct {
	Kernel
	mu sync.Mutex
	n  map[int]int
}

func (c *closes) Close(fd int) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.n == nil {
		c.n = map[int]int{}
	}
	c.n[fd]++
	return nil
}

func TestFDClosesOnce(t *testing.T) {
	k := &closes{}
	f := NewFD(k, 77)
	if f.Int() != 77 || f.Num() != 77 || f.String() != "fd 77" {
		t.Errorf("open: %v", f)
	}
	var wg sync.WaitGroup
	for range 16 {
		wg.Add(1)
		go func() {
			defer wg.Done()
			if err := f.Close(); err != nil {
				t.Error(err)
			}
		}()
	}
	wg.Wait()
	if k.n[77] != 1 {
		t.Errorf("closed %d times", k.n[77])
	}
	if f.Int() != -1 || f.String() != "closed fd" || f.Release() != -1 {
		t.Errorf("closed: %v", f)
	}
	if _, err := f.Dup(); ErrnoOf(err) != EBADF {
		t.Errorf("Dup of a closed descriptor: %v", err)
	}
}

func TestFDRelease(t *testing.T) {
	k := &closes{}
	f := NewFD(k, 5)
	if n := f.Release(); n != 5 {
		t.Errorf("Release: %d", n)
	}
	f.Close()
	if len(k.n) != 0 {
		t.Errorf("closed after Release: %v", k.n)
	}
	var none *FD
	if none.Close() != nil || none.Int() != -1 || none.Release() != -1 || none.String() != "closed fd" {
		t.Error("a nil FD is not a closed one")
	}
}

func TestTrackFDs(t *testing.T) {
	k := &closes{}
	stop := TrackFDs()
	a, b, c := NewFD(k, 10), openHere(k), NewFD(k, 12)
	a.Close()
	c.Release()
	open := stop()
	if len(open) != 1 || open[0].Num != 11 || !strings.Contains(open[0].Stack, "sys.openHere ") {
		t.Errorf("still open: %+v", open)
	}
	b.Close()
	NewFD(k, 13).Release() // untracked
}

func openHere(k Kernel) *FD { return NewFD(k, 11) }
