package reloc

import (
	"fmt"

	"github.com/lode-bpf/lode/btf"
)

// structOpsPrefix begins the name of the kernel's wrapper of a struct_ops type:
// the value type of the map.
const structOpsPrefix = "bpf_struct_ops_"

// A StructOpsError says why a struct_ops variable does not fit the kernel.
type StructOpsError struct {
	Map    string
	Member string // of the object's structure, if it is about one
	Kind   error
	Detail string
	Hint   string
	Err    error
}

func (e *StructOpsError) Error() string {
	s := fmt.Sprintf("reloc: struct_ops %q: ", e.Map)
	if e.Member != "" {
		s += fmt.Sprintf("member %q: ", e.Member)
	}
	s += e.Detail
	if e.Err != nil {
		s += ": " + e.Err.Error()
	}
	if e.Hint != "" {
		s += "; " + e.Hint
	}
	return s
}

// Is reports whether target is the error's kind.
func (e *StructOpsError) Is(target error) bool { return target == e.Kind }

// Unwrap returns the cause.
func (e *StructOpsError) Unwrap() error { return e.Err }

// BindStructOps lays the struct_ops variables of an Input out as the kernel
// wants them: members are matched by name, wherever they stand in either
// structure.
func BindStructOps(in *Input) []StructOpsBinding {
	if len(in.StructOps) == 0 {
		return nil
	}
	b := newBinder(newIndex(in))
	out := make([]StructOpsBinding, len(in.StructOps))
	for i := range in.StructOps {
		out[i] = b.structOps(&in.StructOps[i])
	}
	return out
}

// A layout is a struct_ops variable on its way from one structure to the other.
type layout struct {
	*StructOps
	*binder
	local, target btf.Type
	kernel        *btf.Spec
	base          uint32 // of target in the value
	out           StructOpsBinding
}

func (b *binder) structOps(s *StructOps) StructOpsBinding {
	l := &layout{StructOps: s, binder: b, out: StructOpsBinding{Map: s.Map}}
	if err := l.find(); err != nil {
		l.out.Err = err
		return l.out
	}
	l.out.Value = make([]byte, l.out.ValueSize)
	for _, m := range l.local.Members() {
		if err := l.member(m); err != nil {
			l.out.Err = err
			return l.out
		}
	}
	l.out.Err = l.stray()
	return l.out
}

// stray looks for a program that stands where no member begins.
func (l *layout) stray() error {
	begins := make(map[uint32]bool, l.local.NumMembers())
	for _, m := range l.local.Members() {
		if m.BitSize == 0 && m.BitOffset%8 == 0 {
			begins[m.BitOffset/8] = true
		}
	}
	for _, m := range l.Members {
		if !begins[m.Offset] {
			return l.fail("", ErrFormat, fmt.Sprintf("program %q is at byte %d, where no member begins", m.Program, m.Offset), "", nil)
		}
	}
	return nil
}

//go:noinline
func (l *layout) fail(member string, kind error, detail, hint string, cause error) error {
	return &StructOpsError{Map: l.Map, Member: member, Kind: kind, Detail: detail, Hint: hint, Err: cause}
}

// find finds the kernel's structure and its wrapper.
func (l *layout) find() error {
	var err error
	if l.in.BTF == nil {
		return l.fail("", ErrFormat, "the object has no BTF", "compile with -g", nil)
	}
	if l.local, err = l.in.BTF.Resolve(l.TypeID); err != nil || l.local.Kind() != btf.KindStruct {
		return l.fail("", ErrFormat, "its type is not a structure", "", err)
	}
	if l.in.Env == nil && l.in.Target == nil {
		return l.fail("", ErrNoEnv, "nothing is known of the kernel", "give an environment: the running kernel or a recorded one", nil)
	}
	name := btf.EssentialName(l.local.Name())
	if err := l.findKernel(name); err != nil {
		return err
	}
	wrapper, ok := l.kernel.Find(structOpsPrefix+name, btf.KindStruct)
	if !ok {
		return l.fail("", ErrUnresolved, fmt.Sprintf("the kernel's struct %s cannot be implemented by BPF programs: there is no struct %s%s", name, structOpsPrefix, name), "use a newer kernel", nil)
	}
	for _, m := range wrapper.Members() {
		if m.Type == l.target.ID() && m.BitSize == 0 {
			l.base = m.BitOffset / 8
			l.out.Type, l.out.ValueType, l.out.ValueSize = l.target.ID(), wrapper.ID(), wrapper.Size()
			if wrapper.Size() > maxStructOps || l.base > wrapper.Size() || l.target.Size() > wrapper.Size()-l.base {
				break
			}
			return nil
		}
	}
	return l.fail("", ErrMismatch, fmt.Sprintf("the kernel's struct %s%s has no place for it", structOpsPrefix, name), "", nil)
}

// maxStructOps bounds the size of a struct_ops value, which the kernel keeps in
// pages of its own.
const maxStructOps = 1 << 20

func (l *layout) findKernel(name string) error {
	kernel, err := l.kernelBTF()
	if err != nil || kernel == nil {
		return l.fail("", ErrNoEnv, "cannot read the kernel's BTF", "", err)
	}
	var ok bool
	if l.target, ok = ownNamed(kernel, name, btf.KindStruct); ok {
		l.kernel = kernel
		return nil
	}
	modules, err := l.modules()
	if err != nil {
		return l.fail("", ErrNoEnv, "cannot list the kernel's modules", "", err)
	}
	for _, m := range modules {
		if m.BTF == nil {
			continue
		}
		if l.target, ok = ownNamed(m.BTF, name, btf.KindStruct); ok {
			l.kernel, l.out.Module = m.BTF, m.Name
			return nil
		}
	}
	return l.fail("", ErrUnresolved, fmt.Sprintf("neither vmlinux nor any of %d modules has struct %s", len(modules), name), "use a kernel, or load the module, that has it", nil)
}

// programAt is the program that stands at an offset of the variable.
func (l *layout) programAt(off uint32) string {
	for _, m := range l.Members {
		if m.Offset == off {
			return m.Program
		}
	}
	return ""
}

// member copies one member, or notes the program that stands there.
func (l *layout) member(m btf.Member) error {
	off := m.BitOffset / 8
	program := l.programAt(off)
	size, err := l.in.BTF.SizeOf(m.Type)
	if err != nil || uint64(off) > uint64(len(l.Data)) || size > uint64(len(l.Data))-uint64(off) {
		return l.fail(m.Name, ErrFormat, "it lies outside the variable", "", err)
	}
	data := l.Data[off : uint64(off)+size]
	at := -1
	for j, k := range l.target.Members() {
		if k.Name == m.Name && m.Name != "" {
			at = j
			break
		}
	}
	if at < 0 {
		if !zero(data) {
			return l.fail(m.Name, ErrUnresolved, "the kernel's structure has no such member, and it is not zero", "leave it zero, or use a kernel that has it", nil)
		}
		if program != "" {
			return l.fail(m.Name, ErrUnresolved, fmt.Sprintf("the kernel's structure has no such member for program %q", program), "turn the program off, or use a kernel that has the member", nil)
		}
		return nil
	}
	k := l.target.Member(at)
	if m.BitSize != 0 || k.BitSize != 0 {
		if zero(data) {
			return nil
		}
		return l.fail(m.Name, ErrUnsupported, "bit fields cannot be set", "leave it zero", nil)
	}
	return l.copy(m, k, at, program, data)
}

func (l *layout) copy(m, k btf.Member, at int, program string, data []byte) error {
	mt, err := l.in.BTF.Resolve(m.Type)
	if err != nil {
		return l.fail(m.Name, ErrFormat, "its type makes no sense", "", err)
	}
	kt, err := l.kernel.Resolve(k.Type)
	if err != nil {
		return l.fail(m.Name, ErrFormat, "its type in the kernel makes no sense", "", err)
	}
	off := l.base + k.BitOffset/8
	switch {
	case mt.Kind() != kt.Kind():
		return l.fail(m.Name, ErrMismatch, fmt.Sprintf("it is a %s, in the kernel a %s", mt.Kind(), kt.Kind()), "declare it as the kernel does", nil)
	case mt.Kind() == btf.KindPtr:
		if program == "" {
			return nil
		}
		if proto, err := l.kernel.Resolve(kt.Elem()); err != nil || proto.Kind() != btf.KindFuncProto {
			return l.fail(m.Name, ErrMismatch, "it is no function in the kernel", "declare it as the kernel does", err)
		}
		if uint64(off)+8 > uint64(len(l.out.Value)) {
			return l.fail(m.Name, ErrMismatch, "the kernel's member ends after its structure", "", nil)
		}
		l.out.Members = append(l.out.Members, MemberBinding{Program: program, Member: at, Offset: off})
		return nil
	case program != "":
		return l.fail(m.Name, ErrMismatch, "a program stands where no function does", "", nil)
	}
	size, err := l.kernel.SizeOf(k.Type)
	if err != nil || size != uint64(len(data)) || uint64(off)+size > uint64(len(l.out.Value)) {
		return l.fail(m.Name, ErrMismatch, fmt.Sprintf("it has %d bytes, in the kernel %d", len(data), size), "declare it as the kernel does", err)
	}
	copy(l.out.Value[off:], data)
	return nil
}

func zero(b []byte) bool {
	for _, c := range b {
		if c != 0 {
			return false
		}
	}
	return true
}
