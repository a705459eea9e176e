package reloc

import (
	"encoding/binary"
	"strings"
	"testing"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/lode-bpf/lode/btf"
	"github.com/lode-bpf/lode/insn"
	"github.com/lode-bpf/lode/internal/ktest"
)

// Parts of union bpf_attr for BPF_PROG_LOAD and BPF_PROG_TEST_RUN
// (include/uapi/linux/bpf.h).
type progLoad struct {
	progType, insnCnt uint32
	insns, license    uint64
	logLevel, logSize uint32
	logBuf            uint64
}

type testRun struct {
	fd, retval, sizeIn, sizeOut uint32
	dataIn, dataOut             uint64
	_                           [6]uint64
}

// buffers are what the kernel was given the addresses of: they stay where they
// are.
var buffers [][]byte

// address is where a slice's bytes are, as the kernel wants it.
func address(b []byte) uint64 {
	buffers = append(buffers, b)
	return uint64(uintptr(unsafe.Pointer(&b[0])))
}

// runInKernel loads a program as a socket filter and runs it once. It returns
// what the program returns, or the verifier's log.
func runInKernel(t *testing.T, p *Program) (uint32, string) {
	t.Helper()
	code := insn.Append(nil, p.Insns, binary.NativeEndian)
	license, log, packet := []byte("GPL\x00"), make([]byte, 1<<16), make([]byte, 64)
	load := progLoad{progType: 1, insnCnt: uint32(len(p.Insns)), insns: address(code), license: address(license),
		logLevel: 1, logSize: uint32(len(log)), logBuf: address(log)}
	fd, _, errno := unix.Syscall(unix.SYS_BPF, unix.BPF_PROG_LOAD, uintptr(unsafe.Pointer(&load)), unsafe.Sizeof(load))
	if errno != 0 {
		return 0, errno.Error() + "\n" + unix.ByteSliceToString(log)
	}
	defer unix.Close(int(fd))
	run := testRun{fd: uint32(fd), sizeIn: uint32(len(packet)), dataIn: address(packet)}
	if _, _, errno := unix.Syscall(unix.SYS_BPF, unix.BPF_PROG_TEST_RUN, uintptr(unsafe.Pointer(&run)), unsafe.Sizeof(run)); errno != 0 {
		t.Fatalf("%s: test run: %v", p.Name, errno)
	}
	return run.retval, ""
}

// TestKernelCOREValues runs the programs of core_matrix that only compute with
// what CO-RE gave them.
func TestKernelCOREValues(t *testing.T) {
	ktest.Root(t)
	o, r := against(t, "core_matrix", "core_target")
	id := func(local, kernel string) int64 {
		l, ok := o.BTF.Find(local, btf.KindStruct)
		k, ok2 := o.Target.Find(kernel, btf.KindStruct)
		if !ok || !ok2 && kernel != "" {
			t.Fatalf("no %q or %q", local, kernel)
		}
		return int64(l.ID()) + int64(k.ID())
	}
	lshift := int64(64 - (30 + 6)) // of 6 bits behind 30 others: from the other end of the word on a big-endian machine
	if binary.NativeEndian.Uint16([]byte{1, 0}) != 1 {
		lshift = 30
	}
	want := map[string]int64{
		"compatible":    8 + 16 + 8 + 0,
		"retyped":       0,
		"renamed":       -1, // its poisoned instruction is guarded
		"bits_moved":    8 + 8 + lshift + 58,
		"pointers":      16 + 24 + 8,
		"types":         id("exact", "exact") + 16 + 1 + 1 + 0,
		"type_ids":      id("missing", ""),
		"enums":         2 + 113 - 77777 + 70,
		"enums64":       0x200000000 - 16 + 0x300000000,
		"enums_missing": 1 + 0 + 0,
		"matches":       7,
		"matches_not":   0,
		"missing":       0,
	}
	for _, p := range r.Programs {
		v, ok := want[p.Name]
		if !ok {
			continue
		}
		delete(want, p.Name)
		got, log := runInKernel(t, p)
		if log != "" || got != uint32(v) {
			t.Errorf("%s: got %d, want %d %s", p.Name, got, uint32(v), log)
		}
	}
	if len(want) != 0 {
		t.Errorf("not run: %v", want)
	}
}

// TestKernelGuards: the verifier reaches poisoned instructions that are said to
// be unguarded, and removes those that are guarded.
func TestKernelGuards(t *testing.T) {
	ktest.Root(t)
	_, r := against(t, "core_matrix", "core_target")
	for _, tt := range []struct {
		program string
		guard   Guard
	}{{"renamed", Guarded}, {"missing", Guarded}, {"enum_lost", Unguarded}, {"renamed_unguarded", Unguarded}} {
		for i := range r.Decisions {
			if d := &r.Decisions[i]; d.Func == tt.program && d.Outcome == OutcomePoison && d.Guard != tt.guard {
				t.Errorf("%s, want %s", d, tt.guard)
			}
		}
		for _, p := range r.Programs {
			if p.Name != tt.program {
				continue
			}
			_, log := runInKernel(t, p)
			if reached := strings.Contains(log, "195896080"); reached != (tt.guard == Unguarded) || !reached && log != "" {
				t.Errorf("%s: poison reached: %v, want %s\n%s", p.Name, reached, tt.guard, log)
			}
		}
	}
}
