package maps

import (
	"bytes"
	"fmt"

	"github.com/lode-bpf/lode/btf"
)

// A StructOps is a struct_ops variable as one kernel wants it: the value of
// its map, in that kernel's layout, and which programs go where in it.
//
// The programs are loaded first, each for the member it implements (Type is
// their attach_btf_id, Member their expected attach type). Their descriptors
// are then put into the value with SetProgram, and updating the map's only
// element, key 0, hands the value to the kernel.
type StructOps struct {
	ValueType btf.TypeID // the kernel's wrapper, struct bpf_struct_ops_NAME
	Type      btf.TypeID // the kernel's struct NAME
	Value     []byte     // as large as ValueType
	Programs  []StructOpsProgram

	// Dropped are programs of members that this kernel does not have. They
	// cannot be loaded and are not needed.
	Dropped []StructOpsProgram
}

// A StructOpsProgram is a program in a member of a struct_ops variable.
type StructOpsProgram struct {
	Program string
	Name    string // of the member
	Member  uint32 // number of the member in the kernel's structure
	Offset  uint32 // of the member in Value, in bytes
}

// SetProgram puts the descriptor of a program into the value.
func (o *StructOps) SetProgram(p StructOpsProgram, fd int) error {
	if uint64(p.Offset)+8 > uint64(len(o.Value)) {
		return &DefinitionError{Map: p.Program, Field: p.Name, Reason: fmt.Sprintf("member at %d is not in a value of %d bytes", p.Offset, len(o.Value))}
	}
	nativeEndian.PutUint64(o.Value[p.Offset:], uint64(fd))
	return nil
}

// ConvertStructOps lays a struct_ops definition out as a kernel wants it.
// kernel is the BTF of vmlinux, or of the module that defines the structure;
// if it does not, the error is ErrNotExist.
//
// Members are matched by name. A member of the file that the kernel does not
// have must be zero (a program in it is dropped); one that both have must have
// the same size. Bit fields cannot be converted unless they are zero.
func ConvertStructOps(s *Spec, kernel *btf.Spec) (*StructOps, error) {
	c := opsConverter{spec: s, kernel: kernel}
	if s.BTF == nil {
		return nil, c.bad("", "definition has no BTF")
	}
	local, err := s.BTF.Resolve(s.Value)
	if err != nil || local.Kind() != btf.KindStruct {
		return nil, c.bad("", fmt.Sprintf("type %d of the definition is not a struct", s.Value))
	}
	if uint64(len(s.Data)) < uint64(local.Size()) {
		return nil, c.bad("", fmt.Sprintf("definition has %d bytes, its struct %d", len(s.Data), local.Size()))
	}
	if err := c.findTarget(btf.EssentialName(local.Name())); err != nil {
		return nil, err
	}
	programs := map[uint32]string{}
	for _, slot := range s.Slots {
		programs[slot.Index] = slot.Program
	}
	for _, m := range local.Members() {
		program := programs[m.BitOffset/8]
		if m.BitSize == 0 && m.BitOffset%8 == 0 {
			delete(programs, m.BitOffset/8)
		} else {
			program = ""
		}
		if err := c.member(m, program); err != nil {
			return nil, err
		}
	}
	for at, program := range programs {
		return nil, c.bad("", fmt.Sprintf("program %q is at byte %d, where no member begins", program, at))
	}
	return &c.out, nil
}

// opsConverter is the state of one ConvertStructOps.
type opsConverter struct {
	spec    *Spec
	kernel  *btf.Spec
	target  btf.Type // the kernel's struct
	members map[string]int
	base    uint32 // where the struct begins in the wrapper
	out     StructOps
}

func (c *opsConverter) bad(member, reason string) *DefinitionError {
	return &DefinitionError{Section: c.spec.Section, Offset: c.spec.Offset, Map: c.spec.Name, Field: member, Reason: reason}
}

// findTarget finds the kernel's struct, its wrapper and its place in that.
func (c *opsConverter) findTarget(name string) error {
	wrapperName := "bpf_struct_ops_" + name
	t, ok := c.kernel.Find(name, btf.KindStruct)
	w, okWrapper := c.kernel.Find(wrapperName, btf.KindStruct)
	if !ok || !okWrapper {
		e := c.bad("", fmt.Sprintf("this kernel's BTF has no struct %q with a wrapper %q: it is not a struct_ops of this kernel, or one of a module that was not looked at", name, wrapperName))
		e.Err = ErrNotExist
		return e
	}
	found := false
	for _, m := range w.Members() {
		if r, err := c.kernel.Resolve(m.Type); err == nil && r.ID() == t.ID() {
			c.base, found = m.BitOffset/8, true
		}
	}
	if !found || uint64(c.base)+uint64(t.Size()) > uint64(w.Size()) {
		return c.bad("", fmt.Sprintf("the kernel's %q does not contain struct %q", wrapperName, name))
	}
	if w.Size() > maxStructOps {
		e := c.bad("", fmt.Sprintf("the kernel's %q has %d bytes, more than %d", wrapperName, w.Size(), maxStructOps))
		e.Err = ErrLimit
		return e
	}
	c.target = t
	c.members = make(map[string]int, t.NumMembers())
	for i, m := range t.Members() {
		c.members[m.Name] = i
	}
	c.out = StructOps{ValueType: w.ID(), Type: t.ID(), Value: make([]byte, w.Size())}
	return nil
}

// maxStructOps bounds the size of a value; the kernel's are below a page or two.
const maxStructOps = 1 << 20

// member converts one member of the file's structure.
func (c *opsConverter) member(m btf.Member, program string) error {
	size, err := c.spec.BTF.SizeOf(m.Type)
	if err != nil {
		e := c.bad(m.Name, "size of the member")
		e.Err = err
		return e
	}
	at := uint64(m.BitOffset / 8)
	if at > uint64(len(c.spec.Data)) || size > uint64(len(c.spec.Data))-at {
		return c.bad(m.Name, "member ends after its structure")
	}
	value := c.spec.Data[at : at+size]
	i, ok := c.members[m.Name]
	if !ok || m.Name == "" {
		if !isZero(value) {
			return c.bad(m.Name, "the kernel's structure has no such member, and it is not zero")
		}
		if program != "" {
			c.out.Dropped = append(c.out.Dropped, StructOpsProgram{Program: program, Name: m.Name})
		}
		return nil
	}
	k := c.target.Member(i)
	if m.BitSize != 0 || k.BitSize != 0 {
		if !isZero(value) {
			return c.bad(m.Name, "bit fields cannot be set")
		}
		return nil
	}
	kernelSize, err := c.kernel.SizeOf(k.Type)
	if err != nil || kernelSize != size {
		return c.bad(m.Name, fmt.Sprintf("member has %d bytes, the kernel's %d", size, kernelSize))
	}
	to := uint64(c.base) + uint64(k.BitOffset/8)
	if to > uint64(len(c.out.Value)) || size > uint64(len(c.out.Value))-to {
		return c.bad(m.Name, "the kernel's member ends after its structure")
	}
	return c.set(m, k, i, program, value, to)
}

// set copies a member's bytes, or notes the program that goes there.
func (c *opsConverter) set(m, k btf.Member, i int, program string, value []byte, to uint64) error {
	lt, errLocal := c.spec.BTF.Resolve(m.Type)
	kt, errKernel := c.kernel.Resolve(k.Type)
	if errLocal != nil || errKernel != nil || lt.Kind() != kt.Kind() {
		return c.bad(m.Name, fmt.Sprintf("member is a %v, the kernel's a %v", lt.Kind(), kt.Kind()))
	}
	if program != "" {
		if lt.Kind() != btf.KindPtr {
			return c.bad(m.Name, fmt.Sprintf("program %q in a member that is a %v, want a pointer", program, lt.Kind()))
		}
		c.out.Programs = append(c.out.Programs, StructOpsProgram{Program: program, Name: m.Name, Member: uint32(i), Offset: uint32(to)})
		return nil
	}
	copy(c.out.Value[to:], value)
	return nil
}

func isZero(b []byte) bool { return len(bytes.TrimLeft(b, "\x00")) == 0 }
