package main

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/lode-bpf/lode"
	"github.com/lode-bpf/lode/internal/ktest"
	"github.com/lode-bpf/lode/sys"
)

var varying = regexp.MustCompile(`_ns":\d+|"ns":\d+`)

func TestKernelVerify(t *testing.T) {
	counter := ktest.LoadablePath(t, "counter")
	ktest.NoFDLeaks(t)
	status, out, errOut := cli("verify", counter, object(t, "rejected.bpf.o"))
	if status != 1 || !strings.Contains(errOut, "1 of 2 files did not pass") {
		t.Errorf("status %d: %s", status, errOut)
	}
	for _, want := range []string{"(all)", "count_other", "xdp", "failed", "WHY", "map_value_or_null", "rejected.bpf.c:28"} {
		if !strings.Contains(out, want) {
			t.Errorf("the table lacks %q:\n%s", want, out)
		}
	}
	status, out, errOut = cli("verify", "--json", object(t, "minimal.bpf.o"), counter)
	if status != 0 {
		t.Fatalf("status %d: %s", status, errOut)
	}
	want := `{"loader":"lode","file":"../../testdata/minimal.bpf.o","open_ok":true,"open_errno":0,"open_err":"","open_ns":0,"maps":0,"load_ok":true,"load_errno":0,"load_err":"","load_ns":0,"progs":[{"name":"keep","section":"socket","type":"socket_filter","ok":true,"errno":0,"ns":0,"err":""}]}`
	first, rest, _ := strings.Cut(out, "\n")
	first = varying.ReplaceAllStringFunc(first, func(s string) string { return s[:strings.IndexByte(s, ':')+1] + "0" })
	if diff := cmp.Diff(want, first); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	if strings.Count(rest, "\n") != 1 {
		t.Errorf("not one line a file:\n%s", out)
	}
}

// TestKernelVerifyFixups loads objects that leave something to their user.
func TestKernelVerifyFixups(t *testing.T) {
	counter := ktest.LoadablePath(t, "counter")
	root := filepath.Join(ktest.BPFFS(t), "app")
	if status, _, errOut := cli("verify", "--pin-root", root, "--fixups", counter); status != 0 {
		t.Errorf("status %d: %s", status, errOut)
	}
	if _, err := os.Lstat(root); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("something is left in bpffs (%v)", err)
	}
	status, out, _ := cli("verify", "--type", "socket_filter", object(t, "sections.bpf.o"))
	if i := strings.Index(out, " unknown "); status != 1 || i < 0 || !strings.Contains(out[i:i+60], "socket_filter") || strings.Contains(out, "unknown: prog:") {
		t.Errorf("--type has no effect:\n%s", out)
	}
}

// TestFixUp gives every map a size that the kernel takes: none, where there must be none.
func TestFixUp(t *testing.T) {
	got := map[string]uint32{}
	for _, name := range []string{"newmaps.bpf.o", "maptypes.bpf.o"} {
		o, err := lode.Open(object(t, name), lode.ParseOptions{})
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range o.Maps {
			switch m.Type {
			case sys.MapTypeSKStorage, sys.MapTypeTaskStorage, sys.MapTypeInodeStorage, sys.MapTypeCgrpStorage, sys.MapTypeHash, sys.MapTypeRingBuf:
				m.MaxEntries = 0
				got[m.Type.String()] = 0
			}
		}
		fixUp(o)
		for _, m := range o.Maps {
			if _, ok := got[m.Type.String()]; ok {
				got[m.Type.String()] = m.MaxEntries
			}
		}
	}
	want := map[string]uint32{"sk_storage": 0, "task_storage": 0, "inode_storage": 0, "cgrp_storage": 0, "hash": 1, "ringbuf": 4096}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

// TestVerifyLimit is a verifier that takes too long: the answer comes in time, and
// a program that is accepted all the same does not stay.
func TestVerifyLimit(t *testing.T) {
	slow := &slowKernel{enough: make(chan struct{}), closed: make(chan int)}
	k := &timedKernel{Kernel: slow, limit: time.Millisecond}
	_, err := k.BPF(sys.CmdProgLoad, &sys.ProgLoadAttr{})
	if !errors.Is(err, sys.ETIMEDOUT) || !strings.Contains(err.Error(), "--limit") {
		t.Errorf("got %v", err)
	}
	close(slow.enough)
	if fd := <-slow.closed; fd != 77 {
		t.Errorf("descriptor %d was closed, want 77", fd)
	}
	late := &limitError{err, time.Millisecond}
	if got := oneLine(late); !strings.Contains(got, "longer than 1ms") || errno(late) != int(sys.ETIMEDOUT) {
		t.Errorf("errno %d, %s", errno(late), got)
	}
}

// A slowKernel takes its time for programs.
type slowKernel struct {
	sys.Kernel
	enough chan struct{}
	closed chan int
}

func (s *slowKernel) BPF(sys.Cmd, sys.Attr) (int, error) {
	<-s.enough
	return 77, nil
}

func (s *slowKernel) Close(fd int) error {
	s.closed <- fd
	return nil
}

// TestKernelVerifyInterrupt is an interrupt at any file: what was verified so
// far is printed, and nothing is left.
func TestKernelVerifyInterrupt(t *testing.T) {
	ktest.Root(t)
	ktest.NoFDLeaks(t)
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Millisecond)
	defer cancel()
	var out, errOut strings.Builder
	args := []string{"verify"}
	for range 1000 {
		args = append(args, object(t, "counter.bpf.o"))
	}
	if status := run(ctx, args, &out, &errOut); status != 1 || !strings.Contains(errOut.String(), "interrupted; nothing was left") {
		t.Errorf("status %d: %s", status, errOut.String())
	}
}

func TestVerifyCompare(t *testing.T) {
	dir := t.TempDir()
	write := func(name string, all ...verified) string {
		var b []byte
		for _, x := range all {
			line, err := json.Marshal(x)
			if err != nil {
				t.Fatal(err)
			}
			b = append(append(b, line...), '\n')
		}
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, b, 0o644); err != nil {
			t.Fatal(err)
		}
		return path
	}
	same := verified{File: "a.o", OpenOK: true, LoadOK: true, LoadNS: 1, Programs: []verifiedProgram{{Name: "p", OK: true}, {Name: "q", OK: true}}}
	worse := verified{File: "a.o", OpenOK: true, LoadErrno: 22, LoadNS: 2, Programs: []verifiedProgram{{Name: "p", Errno: 13}, {Name: "q", OK: true}}}
	more := verified{File: "b.o", OpenErrno: 2}
	before, after := write("before", same), write("after", worse, more)
	status, out, errOut := cli("verify", "--compare", before, after)
	want := "a.o: load: ok, then failed with errno 22\na.o: program \"p\": ok, then failed with errno 13\nb.o: open: absent, then failed with errno 2\n"
	if diff := cmp.Diff(want, out); diff != "" || status != 1 || errOut != "lode: 3 of 5 verdicts differ\n" {
		t.Errorf("status %d, %s -want +got:\n%s", status, errOut, diff)
	}
	if status, out, errOut := cli("verify", "--compare", before, before); status != 0 || out != "" {
		t.Errorf("status %d, %s%s", status, out, errOut)
	}
	if status, _, errOut := cli("verify", "--compare", before, object(t, "counter.bpf.c")); status != 1 || !strings.Contains(errOut, "counter.bpf.c:1: not what") {
		t.Errorf("status %d, %s", status, errOut)
	}
}
