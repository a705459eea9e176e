package link

import (
	"encoding/binary"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// Where things are in the executable that the tests make.
const (
	codeAt    = 0x100
	probeAt   = codeAt + 5
	semAt     = 0x1000
	codeBase  = 0x400000
	dataBase  = 0x600000
	probeArgs = "-4@%edi 8@$-7 2@-8(%rsp) 1@(%rax,%rbx,4)"
)

// usdtProgram is an executable for x86-64 with one probe, test:hit: it sets edi to 42,
// passes the probe and exits with the value of the probe's semaphore.
func usdtProgram() []byte {
	e := binary.LittleEndian
	code := []byte{
		0xbf, 42, 0, 0, 0, // mov edi, 42
		0x90,                                  // nop: the probe
		0x0f, 0xb7, 0x3c, 0x25, 0, 0, 0x60, 0, // movzx edi, word [dataBase + 0x1000]
		0xb8, 60, 0, 0, 0, // mov eax, 60
		0x0f, 0x05, // syscall: exit
	}
	e.PutUint32(code[10:], dataBase+semAt)
	var desc []byte
	for _, v := range []uint64{codeBase + probeAt, 0, dataBase + semAt} {
		desc = e.AppendUint64(desc, v)
	}
	desc = append(desc, "test\x00hit\x00"+probeArgs+"\x00"...)
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
	for at, v := range map[int]uint16{16: 2, 18: 62, 52: 64, 54: 56, 56: 2, 58: 64, 60: 3, 62: 2} {
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

func TestUSDTProbes(t *testing.T) {
	got, err := USDTProbes(writeProgram(t, usdtProgram()))
	if err != nil {
		t.Fatal(err)
	}
	want := []USDTProbe{{Provider: "test", Name: "hit", Args: probeArgs, Offset: probeAt, Semaphore: semAt, addr: codeBase + probeAt}}
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(USDTProbe{})); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// A file that is cut off or changed anywhere gives an error or other probes, no panic.
func TestUSDTProbesDamaged(t *testing.T) {
	whole := usdtProgram()
	path := writeProgram(t, nil)
	for n := 0; n < len(whole); n += 7 {
		for _, b := range [][]byte{whole[:n], append(append(append([]byte(nil), whole[:n]...), 0xff, 0xff, 0xff, 0xff), whole[min(n+4, len(whole)):]...)} {
			if err := os.WriteFile(path, b, 0o700); err != nil {
				t.Fatal(err)
			}
			USDTProbes(path)
		}
	}
}

func TestParseUSDTArgs(t *testing.T) {
	for _, tt := range []struct {
		arch, args string
		want       []usdtArg
	}{
		{"amd64", "", nil},
		{"amd64", "-4@$5", []usdtArg{{kind: usdtConst, off: 5, signed: true, bitShift: 32}}},
		{"amd64", "8@%rax -1@%dil", []usdtArg{{kind: usdtReg, reg: 80}, {kind: usdtReg, reg: 112, signed: true, bitShift: 56}}},
		{"amd64", "4@-1204(%rbp)", []usdtArg{{kind: usdtDeref, off: -1204, reg: 32, bitShift: 32}}},
		{"amd64", "8@%r10d 2@(%r8)", []usdtArg{{kind: usdtReg, reg: 56}, {kind: usdtDeref, reg: 72, bitShift: 48}}},
		{"amd64", "1@16(%rax,%rbx,8)", []usdtArg{{kind: usdtSIB, off: 16, reg: 80, index: 40, shift: 3, bitShift: 56}}},
		{"arm64", "8@x1 -4@[sp, 8] 4@5 8@[x30]", []usdtArg{{kind: usdtReg, reg: 8}, {kind: usdtDeref, off: 8, reg: 248, signed: true, bitShift: 32},
			{kind: usdtConst, off: 5, bitShift: 32}, {kind: usdtDeref, reg: 240}}},
	} {
		got, err := parseUSDTArgs(tt.arch, tt.args)
		if err != nil {
			t.Errorf("%s %q: %v", tt.arch, tt.args, err)
		}
		if diff := cmp.Diff(tt.want, got, cmp.AllowUnexported(usdtArg{})); diff != "" {
			t.Errorf("%s %q (-want +got):\n%s", tt.arch, tt.args, diff)
		}
	}
	for _, bad := range []string{"x", "@", "4@", "3@%rax", "4@%", "4@%zzz", "4@sym(%rip)x", "4@sym(%rip)", "4@(%rax", "4@(%rax,%rbx,3)", "400@%rax",
		"4@(%rax,%rbx,4,5)", "1@$1 1@$1 1@$1 1@$1 1@$1 1@$1 1@$1 1@$1 1@$1 1@$1 1@$1 1@$1 1@$1"} {
		var e *USDTArgError
		if got, err := parseUSDTArgs("amd64", bad); !errors.As(err, &e) {
			t.Errorf("%q: %+v, %v", bad, got, err)
		}
	}
}

// The names of every register in all its widths.
func TestX86Registers(t *testing.T) {
	for off, names := range map[int16][]string{
		80: {"rax", "eax", "ax", "al"}, 40: {"rbx", "ebx", "bx", "bl"}, 88: {"rcx", "ecx", "cx", "cl"}, 96: {"rdx", "edx", "dx", "dl"},
		104: {"rsi", "esi", "si", "sil"}, 112: {"rdi", "edi", "di", "dil"}, 32: {"rbp", "ebp", "bp", "bpl"}, 152: {"rsp", "esp", "sp", "spl"},
		72: {"r8", "r8d", "r8w", "r8b"}, 0: {"r15", "r15d", "r15w", "r15b"}, 128: {"rip"},
	} {
		for _, n := range names {
			if got, ok := x86Register("%" + n); !ok || got != off {
				t.Errorf("%%%s is at %d, %t", n, got, ok)
			}
		}
	}
}

func FuzzUSDTArgs(f *testing.F) {
	f.Add(probeArgs)
	f.Add("8@x1 -4@[sp, 8] 4@5")
	f.Fuzz(func(t *testing.T, s string) {
		for _, arch := range []string{"amd64", "arm64"} {
			if args, err := parseUSDTArgs(arch, s); err == nil && len(args) > usdtMaxArgs {
				t.Errorf("%d arguments", len(args))
			}
		}
	})
}
