package prog

import (
	"github.com/lode-bpf/lode/btf"
	"github.com/lode-bpf/lode/insn"
	"github.com/lode-bpf/lode/sys"
)

// A Spec is the definition of an entry program: what the object file and the
// section table say about it. It is plain data that may be edited until it is
// loaded; nothing in it refers to a kernel.
type Spec struct {
	Name    string     // of the function; the kernel keeps the first 15 bytes
	Func    *insn.Func // its code as the file has it, references unresolved
	Section string     // as the file has it, a leading '?' included

	Type       sys.ProgType   // ProgTypeUnspec if the section name says nothing
	AttachType sys.AttachType // expected attach type; 0 is a type of its own and "none"
	Flags      uint32         // BPF_F_* of sys.ProgLoadAttr.ProgFlags
	AutoLoad   bool           // false if the section name begins with '?'

	// What the section table says about the attach type and about attaching.
	AttachTypeNeeded   bool       // to attach, even on kernels that do not want it for loading
	AttachTypeOptional bool       // 0 may be sent to a kernel that does not know expected attach types
	NeedsTarget        bool       // the kernel wants the BTF id of what the program attaches to; see FindTarget
	USDT               bool       // attach as uprobe-multi, with AttachType set to that, where the kernel has it
	AttachKind         AttachKind // how attaching by section name works; AttachNone if it does not
	AttachTarget       string     // what stands behind the '/' of the section name; see Hook
	ReturnProbe        bool       // attach at the function's return

	// AttachProg is the program that this one replaces a function of or traces;
	// nil for none. The caller keeps owning it.
	AttachProg *Program

	License       string // from the section "license"; empty if there is none
	KernelVersion uint32 // from the section "version", as KERNEL_VERSION packs it; 0 if there is none
	IfIndex       uint32 // network device for which the program is to be offloaded or bound; 0 for none
}

// Clone is a deep copy.
func (s *Spec) Clone() *Spec {
	c := *s
	if s.Func != nil {
		c.Func = s.Func.Clone()
	}
	return &c
}

// Hook is AttachTarget taken apart as the section's kind of attachment wants it.
func (s *Spec) Hook() (Hook, error) {
	h, err := s.AttachKind.Parse(s.AttachTarget)
	if err == nil && s.ReturnProbe && s.AttachKind == AttachKprobe && h.Offset != 0 {
		return Hook{}, &HookError{Kind: s.AttachKind, Text: s.AttachTarget, Return: true}
	}
	return h, err
}

// A Target says which kernel type a program attaches to.
type Target struct {
	Module string     // whose BTF has it; empty for vmlinux and for another program
	TypeID btf.TypeID // 0 if the program needs none
}

// Code is what the kernel is given to run: final instructions, with descriptors
// patched in. All descriptors stay the caller's.
type Code struct {
	Insns []insn.Instruction

	// Debug information in the kernel's layout (struct bpf_func_info and
	// struct bpf_line_info), in the byte order of the machine. They need
	// BTFFD. See AppendFuncInfo and AppendLineInfo.
	FuncInfo, LineInfo               []byte
	FuncInfoRecSize, LineInfoRecSize uint32 // bytes in a record; 0 means 8 and 16
	BTFFD                            int    // descriptor of the object's BTF; 0 for none

	FDArray []int32 // descriptors that instructions refer to by index

	// BindFDArray makes the program hold all maps and BTF objects of FDArray,
	// also those that no instruction refers to (Linux 6.14).
	BindFDArray bool

	// Signature is a PKCS#7 signature of the instructions, checked against the
	// keys of a keyring: its serial number, or one of the kernel's own (Linux
	// 6.18). Empty for none.
	Signature []byte
	KeyringID int32

	AttachBTFID    uint32 // type that the program attaches to
	AttachBTFObjFD int    // descriptor of the module's BTF that has it; 0 for vmlinux
	AttachProgFD   int    // descriptor of the program that it attaches to; 0 for none
}
