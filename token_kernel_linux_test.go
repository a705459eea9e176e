package lode_test

import (
	"context"
	"errors"
	"io/fs"
	"strconv"
	"testing"

	"github.com/lode-bpf/lode"
	"github.com/lode-bpf/lode/internal/ktest"
	"github.com/lode-bpf/lode/sys"
)

// With a token, a process in a user namespace loads an object with maps, global data
// and types, and its program runs.
func TestKernelToken(t *testing.T) {
	ktest.NoFDLeaks(t)
	ktest.Delegated(t, func(t *testing.T, bpffs int) {
		object := ktest.ObjectPath(t, "globals") // which pins nothing
		if _, err := lode.Load(context.Background(), object, lode.LoadOptions{}); !errors.Is(err, fs.ErrPermission) {
			t.Errorf("without a token: %v", err)
		}
		token, err := sys.OpenToken(sys.Live(), "/proc/self/fd/"+strconv.Itoa(bpffs))
		if err != nil {
			t.Fatal(err)
		}
		defer token.Close()
		c, err := lode.Load(context.Background(), object, lode.LoadOptions{Kernel: sys.WithToken(sys.Live(), token.Int())})
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		for name, p := range c.Programs {
			if _, _, err := p.Test(make([]byte, 64)); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
		if len(c.Programs) == 0 || len(c.Maps) == 0 {
			t.Errorf("%d programs, %d maps", len(c.Programs), len(c.Maps))
		}
	})
}
