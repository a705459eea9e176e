package maps

import (
	"context"
	"errors"
	"os"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/lode-bpf/lode/sys"
)

// waiter waits for the kernel's wakeups on a descriptor, up to a deadline, the
// end of a context or its close, in the Go runtime's poller.
type waiter struct {
	file     *os.File
	conn     syscall.RawConn
	idle     func(fd int) // if not nil, called before each sleep
	wakeups  atomic.Uint64
	closed   atomic.Bool
	mu       sync.Mutex // guards deadline
	deadline time.Time
}

// newWaiter takes the descriptor.
func newWaiter(fd *sys.FD, name string) (*waiter, error) {
	file, err := pollable(fd, name)
	if err != nil {
		return nil, err
	}
	conn, err := file.SyscallConn()
	if err == nil {
		err = file.SetDeadline(time.Time{}) // an error says that it cannot be waited on
	}
	if err != nil {
		return nil, errors.Join(err, file.Close())
	}
	return &waiter{file: file, conn: conn}, nil
}

func (w *waiter) setDeadline(t time.Time) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.deadline = t
	return w.file.SetDeadline(t)
}

// close ends every wait. A second one does nothing.
func (w *waiter) close() error {
	if w.closed.Swap(true) {
		return nil
	}
	return w.file.Close()
}

// past is a deadline that has passed.
var past = time.Unix(1, 0)

// wait returns when ready does so truly: nil, or why it was not waited for. It
// looks before it waits and after each wakeup.
func (w *waiter) wait(ctx context.Context, write bool, ready func() bool) error {
	if ready() {
		return nil
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	if ctx.Done() != nil {
		// The end of the context is a deadline in the past, until this wait is
		// over; then the deadline is the caller's again.
		over := false // the function below may come late
		stop := context.AfterFunc(ctx, func() {
			w.mu.Lock()
			defer w.mu.Unlock()
			if !over && !w.closed.Load() {
				w.file.SetDeadline(past) // fails only when closed meanwhile
			}
		})
		defer func() {
			if !stop() {
				w.mu.Lock()
				defer w.mu.Unlock()
				over = true
				w.file.SetDeadline(w.deadline)
			}
		}()
	}
	wait, first := w.conn.Read, true
	if write {
		wait = w.conn.Write
	}
	err := wait(func(fd uintptr) bool {
		if !first {
			w.wakeups.Add(1)
		}
		first = false
		if w.idle != nil {
			w.idle(int(fd))
		}
		return ready()
	})
	switch {
	case err == nil:
		return nil
	case w.closed.Load() || errors.Is(err, os.ErrClosed):
		return ErrClosed
	case ctx.Err() != nil:
		return ctx.Err()
	}
	return err
}
