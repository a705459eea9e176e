package btf_test

import (
	"encoding/binary"
	"encoding/json"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"unsafe"

	"github.com/google/go-cmp/cmp"

	"github.com/lode-bpf/lode/btf"
	"github.com/lode-bpf/lode/internal/ktest"
)

// A map with every kind of value is printed as bpftool prints it.
func TestKernelFormatValueIsBpftools(t *testing.T) {
	ktest.Root(t)
	bpftool := ktest.Tool(t, "bpftool", "bpftool")
	raw, id, data := everyValue(t, nativeOrder())
	s, err := btf.Parse(raw, nil)
	if err != nil {
		t.Fatal(err)
	}
	mapID := strconv.Itoa(arrayOf(t, raw, uint32(id), data))
	out, err := exec.Command(bpftool, "-j", "map", "dump", "id", mapID).Output()
	if err != nil {
		t.Fatal(err)
	}
	var entries []struct {
		Formatted struct{ Value json.RawMessage }
	}
	if err := json.Unmarshal(out, &entries); err != nil || len(entries) != 1 {
		t.Fatalf("%v in %s", err, out)
	}
	got, err := s.FormatValue(nil, id, data)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(entries[0].Formatted.Value), string(got)); diff != "" {
		t.Errorf("-bpftool +ours:\n%s", diff)
	}

	out, err = exec.Command(bpftool, "map", "dump", "id", mapID).Output()
	if err != nil {
		t.Fatal(err)
	}
	_, want, _ := strings.Cut(string(out), `"value": `)
	want = strings.TrimSuffix(want, "\n    }\n]\n")
	if got, err = s.FormatValueText(nil, id, data, 2); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, string(got)); diff != "" {
		t.Errorf("-bpftool +ours:\n%s", diff)
	}
}

// bpf is the system call of that name.
func bpf(tb testing.TB, cmd uintptr, attr unsafe.Pointer, size uintptr) int {
	tb.Helper()
	n, _, errno := syscall.Syscall(bpfNumber, cmd, uintptr(attr), size)
	if errno != 0 {
		tb.Fatalf("bpf command %d: %v", cmd, errno)
	}
	return int(n)
}

func closing(tb testing.TB, fd int) int {
	tb.Cleanup(func() { syscall.Close(fd) })
	return fd
}

// arrayOf makes an array map of one value, with BTF, and returns its id.
func arrayOf(tb testing.TB, raw []byte, value uint32, data []byte) int {
	tb.Helper()
	ptr := func(b []byte) uint64 { return uint64(uintptr(unsafe.Pointer(&b[0]))) }
	load := struct {
		btf, log                      uint64
		size, logSize, level, written uint32
	}{btf: ptr(raw), size: uint32(len(raw))}
	btfFD := closing(tb, bpf(tb, 18, unsafe.Pointer(&load), unsafe.Sizeof(load)))
	create := struct {
		typ, key, value, entries, flags, inner, numa uint32
		name                                         [16]byte
		ifindex, btf, keyType, valueType, x          uint32
	}{typ: 2, key: 4, value: uint32(len(data)), entries: 1, btf: uint32(btfFD), keyType: 1, valueType: value}
	copy(create.name[:], "values")
	fd := closing(tb, bpf(tb, 0, unsafe.Pointer(&create), unsafe.Sizeof(create)))
	key := make([]byte, 4)
	update := struct {
		fd, _             uint32
		key, value, flags uint64
	}{fd: uint32(fd), key: ptr(key), value: ptr(data)}
	bpf(tb, 2, unsafe.Pointer(&update), unsafe.Sizeof(update))
	info := make([]byte, 88)
	get := struct {
		fd, size uint32
		info     uint64
	}{uint32(fd), uint32(len(info)), ptr(info)}
	bpf(tb, 15, unsafe.Pointer(&get), unsafe.Sizeof(get))
	runtime.KeepAlive(raw)
	runtime.KeepAlive(key)
	runtime.KeepAlive(data)
	return int(binary.NativeEndian.Uint32(info[4:])) // struct bpf_map_info.id
}

// nativeOrder is the byte order of the machine.
func nativeOrder() binary.ByteOrder {
	if binary.NativeEndian.Uint16([]byte{1, 0}) == 1 {
		return binary.LittleEndian
	}
	return binary.BigEndian
}
