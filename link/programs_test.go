package link

import (
	"encoding/binary"
	"os"
	"path/filepath"
	"runtime"
	"testing"
)

// Where things are in the executables that the tests make.
const (
	codeAt   = 0x100
	semAt    = 0x1000
	codeBase = 0x400000
	dataBase = 0x600000
)

type byteOrder interface {
	binary.ByteOrder
	binary.AppendByteOrder
}

// A machine is an architecture that the tests have programs for.
type machine struct {
	elf   uint16 // e_machine
	order byteOrder

	// usdt puts 42 into the register of the first argument, passes the probe and exits with
	// the 16 bits at dataBase+semAt.
	usdt    []byte
	probeAt uint64 // of usdt, in the file
	args    string // of the probe; the first is that register
	argReg  int16  // where a program finds that register in its context

	// call calls the function and exits with 0.
	call       []byte
	functionAt uint64 // of call, in the file
}

// machines by GOARCH.
var machines = map[string]machine{
	"amd64": {
		elf: 62, order: binary.LittleEndian, probeAt: codeAt + 5, functionAt: codeAt + 14, argReg: 112,
		args: "-4@%edi 8@$-7 2@-8(%rsp) 1@(%rax,%rbx,4)",
		usdt: []byte{
			0xbf, 42, 0, 0, 0, // mov edi, 42
			0x90,                                           // nop: the probe
			0x0f, 0xb7, 0x3c, 0x25, 0x00, 0x10, 0x60, 0x00, // movzx edi, word [0x601000]
			0xb8, 60, 0, 0, 0, // mov eax, 60
			0x0f, 0x05, // syscall: exit
		},
		call: []byte{
			0xe8, 9, 0, 0, 0, // call function
			0x31, 0xff, // xor edi, edi
			0xb8, 60, 0, 0, 0, // mov eax, 60
			0x0f, 0x05, // syscall: exit
			0x55, 0x5d, 0xc3, // function: push rbp; pop rbp; ret
		},
	},
	"arm64": {
		elf: 183, order: binary.LittleEndian, probeAt: codeAt + 4, functionAt: codeAt + 16, argReg: 0,
		args: "-4@w0 8@-7 2@[sp, -8]",
		usdt: []byte{
			0x40, 0x05, 0x80, 0x52, // mov w0, 42
			0x1f, 0x20, 0x03, 0xd5, // nop: the probe
			0x01, 0x00, 0x82, 0xd2, // movz x1, 0x1000
			0x01, 0x0c, 0xa0, 0xf2, // movk x1, 0x60, lsl 16
			0x20, 0x00, 0x40, 0x79, // ldrh w0, [x1]
			0xa8, 0x0b, 0x80, 0xd2, // mov x8, 93
			0x01, 0x00, 0x00, 0xd4, // svc 0: exit
		},
		call: []byte{
			0x04, 0x00, 0x00, 0x94, // bl function
			0x00, 0x00, 0x80, 0xd2, // mov x0, 0
			0xa8, 0x0b, 0x80, 0xd2, // mov x8, 93
			0x01, 0x00, 0x00, 0xd4, // svc 0: exit
			0x1f, 0x20, 0x03, 0xd5, // function: nop
			0xc0, 0x03, 0x5f, 0xd6, // ret
		},
	},
	"s390x": {
		elf: 22, order: binary.BigEndian, probeAt: codeAt + 4, functionAt: codeAt + 12, argReg: 24 + 2*8,
		args: "-4@%r2 8@-7 2@-8(%r15)",
		usdt: []byte{
			0xa7, 0x29, 0x00, 0x2a, // lghi %r2, 42
			0x47, 0x00, 0x00, 0x00, // nop: the probe
			0xc0, 0x1f, 0x00, 0x60, 0x10, 0x00, // llilf %r1, 0x601000
			0xe3, 0x20, 0x10, 0x00, 0x00, 0x91, // llgh %r2, 0(%r1)
			0x0a, 0x01, // svc 1: exit
		},
		call: []byte{
			0xc0, 0xe5, 0x00, 0x00, 0x00, 0x06, // brasl %r14, function
			0xa7, 0x29, 0x00, 0x00, // lghi %r2, 0
			0x0a, 0x01, // svc 1: exit
			0x47, 0x00, 0x00, 0x00, // function: nop
			0x07, 0xfe, // br %r14
		},
	},
}

// ownMachine is the running one.
func ownMachine(t *testing.T) machine {
	t.Helper()
	m, ok := machines[runtime.GOARCH]
	if !ok {
		t.Skip("the tests have no program for ", runtime.GOARCH)
	}
	return m
}

// program is an executable of some code with one USDT probe, test:hit, and a semaphore.
func (m machine) program(code []byte) []byte {
	e := m.order
	var desc []byte
	for _, v := range []uint64{codeBase + m.probeAt, 0, dataBase + semAt} {
		desc = e.AppendUint64(desc, v)
	}
	desc = append(desc, "test\x00hit\x00"+m.args+"\x00"...)
	note := e.AppendUint32(nil, 8)
	note = e.AppendUint32(note, uint32(len(desc)))
	note = e.AppendUint32(note, 3)
	note = append(append(note, "stapsdt\x00"...), desc...)
	for len(note)%4 != 0 {
		note = append(note, 0)
	}
	const names = "\x00.note.stapsdt\x00.shstrtab\x00"
	noteAt := uint64(semAt + 16)
	namesAt := noteAt + uint64(len(note))
	tableAt := (namesAt + uint64(len(names)) + 7) &^ 7

	b := make([]byte, tableAt)
	copy(b, "\x7fELF\x02\x01\x01")
	if e.Uint16([]byte{0, 1}) == 1 {
		b[5] = 2
	}
	for at, v := range map[int]uint16{16: 2, 18: m.elf, 52: 64, 54: 56, 56: 2, 58: 64, 60: 3, 62: 2} {
		e.PutUint16(b[at:], v)
	}
	e.PutUint32(b[20:], 1)
	e.PutUint64(b[24:], codeBase+codeAt)
	e.PutUint64(b[32:], 64)
	e.PutUint64(b[40:], tableAt)
	segment := func(at int, flags uint32, off, addr, size uint64) {
		e.PutUint32(b[at:], 1)
		e.PutUint32(b[at+4:], flags)
		for i, v := range []uint64{off, addr, addr, size, size, 0x1000} {
			e.PutUint64(b[at+8+8*i:], v)
		}
	}
	segment(64, 5, 0, codeBase, 0x1000)
	segment(120, 6, semAt, dataBase+semAt, 16)
	copy(b[codeAt:], code)
	copy(b[noteAt:], note)
	copy(b[namesAt:], names)
	for _, s := range [][4]uint64{{0, 0, 0, 0}, {1, 7, noteAt, uint64(len(note))}, {15, 3, namesAt, uint64(len(names))}} {
		h := make([]byte, 64)
		e.PutUint32(h, uint32(s[0]))
		e.PutUint32(h[4:], uint32(s[1]))
		e.PutUint64(h[24:], s[2])
		e.PutUint64(h[32:], s[3])
		b = append(b, h...)
	}
	return b
}

func writeProgram(t *testing.T, b []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "probed")
	if err := os.WriteFile(path, b, 0o700); err != nil {
		t.Fatal(err)
	}
	return path
}
