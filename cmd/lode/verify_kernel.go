package main

import (
	"bytes"
	"runtime"
	"time"

	"github.com/lode-bpf/lode/sys"
)

// A timedKernel is a kernel that is given only so much time for a program, and
// asked how the verifier got on.
type timedKernel struct {
	sys.Kernel
	limit time.Duration
	log   string // of the last program that loaded
}

// statsRoom holds the verifier's statistics of a program with the most
// functions that there can be.
const statsRoom = 16 << 10

// BPF is bpf(2). A program that takes too long is ETIMEDOUT. Its verification is
// stopped by a signal, upon which the kernel gives up and the call is made anew a
// few times; what comes of it in spite of that is thrown away.
func (k *timedKernel) BPF(cmd sys.Cmd, attr sys.Attr) (int, error) {
	a, ok := attr.(*sys.ProgLoadAttr)
	if !ok {
		return k.Kernel.BPF(cmd, attr)
	}
	own := *a // the caller's may be gone before the kernel is done
	var log []byte
	if own.LogLevel == 0 {
		log = make([]byte, statsRoom)
		own.LogLevel, own.LogBuf, own.LogSize = sys.BPF_LOG_STATS, sys.BytesPtr(log), statsRoom
	}
	type result struct {
		fd  int
		err error
	}
	done := make(chan result, 1)
	thread := make(chan int, 1)
	go func() {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		thread <- threadID()
		fd, err := k.Kernel.BPF(cmd, &own)
		done <- result{fd, err}
	}()
	timer := time.NewTimer(k.limit)
	defer timer.Stop()
	select {
	case r := <-done:
		a.LogTrueSize = own.LogTrueSize
		if r.err == nil && log != nil {
			k.log = string(log[:max(0, bytes.IndexByte(log, 0))])
		}
		return r.fd, r.err
	case <-timer.C:
		go func() {
			id := <-thread
			again := time.NewTicker(time.Millisecond)
			defer again.Stop()
			for {
				select {
				case r := <-done:
					if r.err == nil {
						k.Kernel.Close(r.fd)
					}
					return
				case <-again.C:
					interruptThread(id)
				}
			}
		}()
		return -1, &sys.Error{Op: "BPF_PROG_LOAD", Cmd: cmd, Errno: sys.ETIMEDOUT, Hint: "the verifier took longer than " + k.limit.String() + "; see --limit"}
	}
}
