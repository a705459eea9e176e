package link

import (
	"errors"
	"os"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// The probes of a file are the same whatever machine reads it.
func TestUSDTProbes(t *testing.T) {
	for arch, m := range machines {
		got, err := USDTProbes(writeProgram(t, m.program(m.usdt)))
		if err != nil {
			t.Errorf("%s: %v", arch, err)
		}
		want := []USDTProbe{{Provider: "test", Name: "hit", Args: m.args, Offset: m.probeAt, Semaphore: semAt, addr: codeBase + m.probeAt}}
		if diff := cmp.Diff(want, got, cmp.AllowUnexported(USDTProbe{})); diff != "" {
			t.Errorf("%s (-want +got):\n%s", arch, diff)
		}
	}
}

// A file that is cut off or changed anywhere gives an error or other probes, no panic.
func TestUSDTProbesDamaged(t *testing.T) {
	whole := machines["amd64"].program(machines["amd64"].usdt)
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
		{"s390x", "8@%r2 -4@160(%r15) 4@-5 1@(%r0)", []usdtArg{{kind: usdtReg, reg: 40}, {kind: usdtDeref, off: 160, reg: 144, signed: true, bitShift: 32},
			{kind: usdtConst, off: -5, bitShift: 32}, {kind: usdtDeref, reg: 24, bitShift: 56}}},
	} {
		got, err := parseUSDTArgs(tt.arch, tt.args)
		if err != nil {
			t.Errorf("%s %q: %v", tt.arch, tt.args, err)
		}
		if diff := cmp.Diff(tt.want, got, cmp.AllowUnexported(usdtArg{})); diff != "" {
			t.Errorf("%s %q (-want +got):\n%s", tt.arch, tt.args, diff)
		}
	}
	for _, bad := range [...][2]string{{"s390x", "4@%r16"}, {"s390x", "4@%f0"}, {"s390x", "4@8(%r2"}, {"s390x", "4@8(%r2,%r3)"}, {"s390x", "4@x(%r2)"},
		{"arm64", "4@x31"}, {"arm64", "4@[sp"}, {"arm64", "4@[sp, x1]"}, {"mips", "4@5"}} {
		var e *USDTArgError
		if got, err := parseUSDTArgs(bad[0], bad[1]); !errors.As(err, &e) {
			t.Errorf("%s %q: %+v, %v", bad[0], bad[1], got, err)
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
	for _, m := range machines {
		f.Add(m.args)
	}
	f.Add("8@x1 -4@[sp, 8] 4@5")
	f.Fuzz(func(t *testing.T, s string) {
		for _, arch := range []string{"amd64", "arm64", "s390x"} {
			if args, err := parseUSDTArgs(arch, s); err == nil && len(args) > usdtMaxArgs {
				t.Errorf("%d arguments", len(args))
			}
		}
	})
}
