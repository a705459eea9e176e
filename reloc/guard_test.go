package reloc

import (
	"testing"

	"github.com/lode-bpf/lode/btf"
	"github.com/lode-bpf/lode/insn"
)

// Instructions of the tests below. exists and poison have CO-RE records: of a
// field that the target does not have.
var (
	exists  = insn.Instruction{Op: 0xb7, Regs: insn.Regs(1, 0), Imm: 1}            // r1 = does the field exist?
	poison  = insn.Instruction{Op: 0x61, Regs: insn.Regs(0, 6)}                    // r0 = the field
	helper  = insn.Instruction{Op: insn.OpCall, Imm: 1}                            // r0 = what a helper returns
	load    = insn.Instruction{Op: 0x61, Regs: insn.Regs(1, 1)}                    // r1 = *(u32 *)r1
	dataRef = insn.Instruction{Op: insn.OpLdImm64, Regs: insn.Regs(1, 0)}          // r1 = a variable
	ifZero1 = insn.Instruction{Op: 0x15, Regs: insn.Regs(1, 0), Off: 1}            // if r1 == 0 skip one
	ifZero0 = insn.Instruction{Op: 0x15, Regs: insn.Regs(0, 0), Off: 1}            // if r0 == 0 skip one
	ifNot1  = insn.Instruction{Op: 0x55, Regs: insn.Regs(1, 0), Off: 1}            // if r1 != 0 skip one
	two     = insn.Instruction{Op: 0xb7, Regs: insn.Regs(2, 0), Imm: 2}            // r2 = 2
	and2    = insn.Instruction{Op: 0x5f, Regs: insn.Regs(2, 1)}                    // r2 &= r1
	ifZero2 = insn.Instruction{Op: 0x15, Regs: insn.Regs(2, 0), Off: 1}            // if r2 == 0 skip one
	goBack  = insn.Instruction{Op: 0x05, Off: -2}                                  // goto
	jumpReg = insn.Instruction{Op: 0x0d, Regs: insn.Regs(1, 0)}                    // goto *r1
	ptrTo10 = insn.Instruction{Op: insn.OpLdImm64, Regs: insn.Regs(2, 0), Imm: 80} // r2 = &sub
)

func TestGuards(t *testing.T) {
	tests := []struct {
		name string
		main []insn.Instruction
		sub  []insn.Instruction // at 10
		want Guard
	}{
		{"nothing in the way", []insn.Instruction{poison, exit}, nil, Unguarded},
		{"tested", []insn.Instruction{exists, ifZero1, poison, exit}, nil, Guarded},
		{"tested the other way round", []insn.Instruction{exists, ifNot1, exit, poison, exit}, nil, Guarded},
		{"tested for the wrong thing", []insn.Instruction{exists, ifNot1, poison, exit}, nil, Unguarded},
		{"tested with another condition", []insn.Instruction{two, exists, and2, ifZero2, poison, exit}, nil, Guarded},
		{"behind a helper's answer", []insn.Instruction{helper, ifZero0, poison, exit}, nil, Unguarded},
		{"behind a field of the context", []insn.Instruction{load, ifZero1, poison, exit}, nil, Unguarded},
		{"behind a variable", []insn.Instruction{dataRef, half, load, ifZero1, poison, exit}, nil, GuardUnknown},
		{"where branches meet again", []insn.Instruction{helper, ifZero0, mov0, poison, exit}, nil, Unguarded},
		{"refined by the branch before", []insn.Instruction{load, ifNot1, ifZero1, exit, ifZero1, poison, exit}, nil, Guarded},
		{"never come to", []insn.Instruction{exit, poison, exit}, nil, Guarded},
		{"in a loop", []insn.Instruction{helper, poison, ifZero0, goBack, exit}, nil, Unguarded},
		{"indirect jump", []insn.Instruction{exists, jumpReg, poison, exit}, nil, GuardUnknown},
		{"runs off the end", []insn.Instruction{poison}, nil, GuardUnknown},
		{"in a function that is called", []insn.Instruction{call(9), exit}, []insn.Instruction{poison, exit}, Unguarded},
		{"in a function whose call is guarded", []insn.Instruction{exists, ifZero1, call(7), exit}, []insn.Instruction{poison, exit}, Guarded},
		{"in a function that nobody calls", []insn.Instruction{exit}, []insn.Instruction{poison, exit}, Guarded},
		{"in an exception callback", []insn.Instruction{exit}, []insn.Instruction{poison, exit}, Unguarded},
		{"in a function that is pointed at", []insn.Instruction{ptrTo10, half, exit}, []insn.Instruction{poison, exit}, Unguarded},
		{"behind a function's argument", []insn.Instruction{call(9), exit}, []insn.Instruction{ifZero1, poison, exit}, GuardUnknown},
		{"behind what a function returns", []insn.Instruction{call(9), ifZero0, poison, exit}, []insn.Instruction{exit}, GuardUnknown},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var b btf.Builder
			root := b.AddStruct("s", 4, member("gone", b.AddInt("int", 4, btf.IntSigned), 0))
			main := b.AddFunc("main", b.AddFuncProto(0), btf.LinkageGlobal)
			b.AddDeclTag("exception_callback:in an exception callback", main, -1)
			in := coreObject(t, &b, root, "0:0", 0)
			in.Target = types(t, nil, func(b *btf.Builder, i32 btf.TypeID) { b.AddStruct("s", 4, member("here", i32, 0)) })
			access := in.Programs[0].CORE[0].AccessOff
			record := 0
			function := func(name string, at int, insns []insn.Instruction) *insn.Func {
				f := code(name, at, insns...)
				for i, ins := range insns {
					switch ins {
					case poison:
						f.CORE = append(f.CORE, insn.CORE{Index: i, TypeID: uint32(root), AccessOff: access, Record: record})
						record++
					case exists:
						f.CORE = append(f.CORE, insn.CORE{Index: i, TypeID: uint32(root), AccessOff: access, Record: record, Kind: uint32(btf.COREFieldExists)})
						record++
					case dataRef:
						f.Refs = append(f.Refs, ref(i, relWide, dataSym))
					case ptrTo10:
						f.Refs = append(f.Refs, ref(i, relWide, textSym))
					}
				}
				return f
			}
			in.Programs = []*insn.Func{function("main", 0, tt.main)}
			in.Programs[0].TypeID = uint32(main)
			if tt.sub != nil {
				in.Subs = []*insn.Func{function(tt.name, 10, tt.sub)}
			}
			ds, _ := CORE(&in)
			for i := range ds {
				if d := &ds[i]; d.Outcome == OutcomePoison && d.Guard != tt.want {
					t.Errorf("%s, want %s", d, tt.want)
				}
			}
		})
	}
}
