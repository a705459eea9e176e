package main

import (
	"context"
	"fmt"
	"os"
	"strings"
	"syscall"
	"testing"
	"unsafe"

	"github.com/lode-bpf/lode/internal/ktest"
)

// openTerminal makes a terminal of some width: what is written to tty can be
// read from the other end (pts(4)).
func openTerminal(t *testing.T, columns uint16) (ours, tty *os.File) {
	t.Helper()
	ours, err := os.OpenFile("/dev/ptmx", os.O_RDWR|syscall.O_NOCTTY, 0)
	if err != nil {
		t.Skipf("needs terminals: %v", err)
	}
	t.Cleanup(func() { ours.Close() })
	ioctl := func(request uintptr, argument unsafe.Pointer) {
		t.Helper()
		if _, _, errno := syscall.Syscall(syscall.SYS_IOCTL, ours.Fd(), request, uintptr(argument)); errno != 0 {
			t.Fatal(errno)
		}
	}
	var unlock, number int32
	ioctl(syscall.TIOCSPTLCK, unsafe.Pointer(&unlock))
	ioctl(syscall.TIOCGPTN, unsafe.Pointer(&number))
	size := struct{ rows, columns, x, y uint16 }{24, columns, 0, 0}
	ioctl(syscall.TIOCSWINSZ, unsafe.Pointer(&size))
	tty, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", number), os.O_RDWR|syscall.O_NOCTTY, 0)
	if err != nil {
		t.Skipf("needs /dev/pts: %v", err)
	}
	return ours, tty
}

// onTerminal is what a command prints when its output and errors go to a
// terminal.
func onTerminal(t *testing.T, columns uint16, args ...string) (status int, text string) {
	t.Helper()
	ours, tty := openTerminal(t, columns)
	all := make(chan string)
	go func() {
		var b strings.Builder
		buf := make([]byte, 4096)
		for {
			n, err := ours.Read(buf)
			b.Write(buf[:n])
			if err != nil { // EIO: the other end is closed
				all <- b.String()
				return
			}
		}
	}()
	status = run(context.Background(), args, tty, tty)
	tty.Close()
	return status, <-all
}

// TestTerminal shows the head of a table bold and a long column cut at the width
// on a terminal, and neither elsewhere.
func TestTerminal(t *testing.T) {
	t.Setenv("NO_COLOR", "")
	t.Setenv("TERM", "xterm")
	args := []string{"inspect", object(t, "counter.bpf.o")}
	_, elsewhere, _ := cli(args...)
	_, wide := onTerminal(t, 0, args...)
	if strings.Contains(elsewhere, "\x1b") || !strings.Contains(wide, bold+"PROGRAM ") {
		t.Errorf("not bold on a terminal, or bold elsewhere:\n%q", wide)
	}
	full := "bpf_map_lookup_elem, bpf_trace_printk, account, classify, bpf_tail_call"
	if !strings.Contains(elsewhere, full) || !strings.Contains(wide, full) {
		t.Errorf("a list is cut although nobody said how wide the terminal is:\n%s", wide)
	}
	_, narrow := onTerminal(t, 80, args...)
	for line := range strings.Lines(narrow) {
		line = strings.NewReplacer(bold, "", plain, "", "\r\n", "").Replace(line)
		if strings.HasPrefix(line, "count ") && (len(line) > 80 || !strings.HasSuffix(line, "...")) {
			t.Errorf("%d columns on a terminal of 80: %q", len(line), line)
		}
	}
	t.Setenv("NO_COLOR", "1")
	if _, text := onTerminal(t, 0, args...); strings.Contains(text, "\x1b") {
		t.Errorf("colour although NO_COLOR is set:\n%q", text)
	}
}

// TestKernelTerminal watches verify at work: progress while there are several
// files, verdicts in colour.
func TestKernelTerminal(t *testing.T) {
	ktest.Root(t)
	t.Setenv("NO_COLOR", "")
	t.Setenv("TERM", "xterm")
	status, text := onTerminal(t, 120, "verify", object(t, "minimal.bpf.o"), object(t, "rejected.bpf.o"))
	if status != 1 {
		t.Errorf("status %d", status)
	}
	for _, want := range []string{"\r\x1b[K2/2 ../../testdata/rejected.bpf.o", green + "ok" + plain, red + "failed" + plain, "1 of 2 files"} {
		if !strings.Contains(text, want) {
			t.Errorf("the terminal does not show %q:\n%q", want, text)
		}
	}
}
