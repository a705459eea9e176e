package maps

import (
	"sync"
	"sync/atomic"
)

// inUse keeps the memory of a reader as long as a loop is in it, although another
// goroutine has closed the reader.
type inUse struct {
	mu     sync.Mutex // held while the memory is used outside of loops, and while it is unmapped
	inside int        // loops over samples that are under way
	closed atomic.Bool
}

// enter begins a loop over samples; false if the reader is closed.
func (u *inUse) enter() bool {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.closed.Load() {
		return false
	}
	u.inside++
	return true
}

// leave ends it, and releases the memory if the reader was closed meanwhile.
func (u *inUse) leave(release func() error) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.inside--; u.inside == 0 && u.closed.Load() {
		_ = release() // the reader's Close has long returned
	}
}
