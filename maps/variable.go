package maps

import (
	"encoding/binary"
	"errors"
	"fmt"
	"iter"
	"reflect"
	"sync/atomic"
	"unsafe"

	"github.com/lode-bpf/lode/btf"
	"github.com/lode-bpf/lode/sys"
)

// A Variable is a global variable of a BPF program, before it is loaded (in a
// Spec) or while it runs (in a Map).
//
// Get and Set take Go values of the variable's shape: any integer for an
// integer or enumeration, provided the value fits; bool; float; string or
// []byte for an array of characters; an array or slice for an array; a struct
// for a structure, whose fields, but those named "_", are the members in their
// order, bit fields among them; and for everything, unions and pointers too, a byte slice or array of
// the variable's size. They need the variable's type; Bytes and SetBytes do
// not.
type Variable struct {
	Var
	b     *btf.Spec
	order binary.ByteOrder
	spec  *Spec // one of these two
	m     *Map
}

// Variable finds a global variable in the data of the definition. Setting it
// changes what the map starts with.
func (s *Spec) Variable(name string) (*Variable, error) {
	v, err := findVar(s.Vars, name, s.Name)
	if err != nil {
		return nil, err
	}
	return &Variable{Var: v, b: s.BTF, order: s.BTF.ByteOrder(), spec: s}, nil
}

// Variable finds a global variable in the map of a data section, or of an
// arena. A map that was not made from a definition needs LoadTypes before.
//
// If the map was created with BPF_F_MMAPABLE it is mapped into memory, and a
// variable of 4 or 8 bytes is read and written in one piece. Otherwise setting
// a variable writes the whole section again, with what the others were a moment
// before.
func (m *Map) Variable(name string) (*Variable, error) {
	v, err := findVar(m.vars, name, m.name)
	if err != nil {
		return nil, err
	}
	return &Variable{Var: v, b: m.btf, order: nativeEndian, m: m}, nil
}

// Variables lists the variables of the map in the order of their place.
func (m *Map) Variables() iter.Seq[*Variable] {
	return func(yield func(*Variable) bool) {
		for _, v := range m.vars {
			if !yield(&Variable{Var: v, b: m.btf, order: nativeEndian, m: m}) {
				return
			}
		}
	}
}

func findVar(vars []Var, name, in string) (Var, error) {
	for _, v := range vars {
		if v.Name == name {
			return v, nil
		}
	}
	return Var{}, &OpError{Op: "find variable in", Map: in, Err: &both{ErrNotExist, fmt.Errorf("%q is not one of its %d variables", name, len(vars))}}
}

// fail says which variable an error is about.
func (v *Variable) fail(op string, err error) error {
	name := ""
	if v.spec != nil {
		name = v.spec.Name
	} else {
		name = v.m.name
	}
	return &OpError{Op: op + " variable " + fmt.Sprintf("%q", v.Name) + " of", Map: name, Err: err}
}

// Get stores the value in what to points to.
func (v *Variable) Get(to any) error {
	p := reflect.ValueOf(to)
	if p.Kind() != reflect.Pointer || p.IsNil() {
		return v.fail("get", fmt.Errorf("destination is a %T, want a pointer", to))
	}
	b, err := v.Bytes()
	if err != nil {
		return err
	}
	c := codec{b: v.b, order: v.order}
	if err := c.decode(b, v.Type, p.Elem(), 0); err != nil {
		return v.fail("get", err)
	}
	return nil
}

// Set changes the value.
func (v *Variable) Set(value any) error {
	b := make([]byte, v.Size)
	c := codec{b: v.b, order: v.order}
	if err := c.encode(b, v.Type, reflect.ValueOf(value), 0); err != nil {
		return v.fail("set", err)
	}
	return v.SetBytes(b)
}

// Bytes is a copy of the value as it is in memory.
func (v *Variable) Bytes() ([]byte, error) {
	b := make([]byte, v.Size)
	if v.spec != nil {
		if err := v.inSpec(); err != nil {
			return nil, err
		}
		if v.spec.Data != nil {
			copy(b, v.spec.Data[v.Offset:])
		}
		return b, nil
	}
	mem, err := v.memory()
	if err != nil {
		return nil, err
	}
	if mem != nil {
		loadWord(b, mem)
		return b, nil
	}
	all, err := v.m.Lookup(make([]byte, 4))
	if err != nil {
		return nil, v.fail("get", err)
	}
	if v.Offset+v.Size > uint64(len(all)) {
		return nil, v.fail("get", ErrRange)
	}
	copy(b, all[v.Offset:])
	return b, nil
}

// SetBytes changes the value to bytes as they are in memory.
func (v *Variable) SetBytes(b []byte) error {
	if uint64(len(b)) != v.Size {
		return v.fail("set", &both{ErrSize, fmt.Errorf("%d bytes for a variable of %d", len(b), v.Size)})
	}
	if v.spec != nil {
		if err := v.inSpec(); err != nil {
			return err
		}
		if v.spec.Data == nil {
			v.spec.Data = make([]byte, v.spec.DataSize)
		}
		copy(v.spec.Data[v.Offset:], b)
		return nil
	}
	mem, err := v.memory()
	if err != nil {
		return err
	}
	if mem != nil {
		if !v.m.Writable() {
			return v.fail("set", &both{sys.EPERM, errors.New("the map is read-only; set the variable before it is loaded")})
		}
		storeWord(mem, b)
		return nil
	}
	key := make([]byte, 4)
	all, err := v.m.Lookup(key)
	if err != nil {
		return v.fail("set", err)
	}
	if v.Offset+v.Size > uint64(len(all)) {
		return v.fail("set", ErrRange)
	}
	copy(all[v.Offset:], b)
	if err := v.m.Update(key, all, sys.BPF_ANY); err != nil {
		return v.fail("set", err)
	}
	return nil
}

// inSpec checks that the definition's data has the variable's place.
func (v *Variable) inSpec() error {
	size := v.spec.DataSize
	if v.spec.Data != nil {
		size = uint64(len(v.spec.Data))
	}
	if v.Offset > size || v.Size > size-v.Offset {
		return v.fail("access", fmt.Errorf("%w: %d bytes at %d of %d", ErrRange, v.Size, v.Offset, size))
	}
	if v.spec.Data == nil && size > maxZeroes {
		return v.fail("access", fmt.Errorf("%w: a section of %d zero bytes", ErrLimit, size))
	}
	return nil
}

// maxZeroes bounds what setting a variable of a .bss section may allocate.
const maxZeroes = 1 << 30

// memory is the variable's place in the mapped map; nil if it cannot be mapped.
func (v *Variable) memory() ([]byte, error) {
	if v.m.typ != sys.MapTypeArena && v.m.flags&sys.BPF_F_MMAPABLE == 0 {
		return nil, nil
	}
	b, err := v.m.Memory()
	if err != nil {
		return nil, v.fail("access", err)
	}
	b = b[min(v.m.dataAt, uint64(len(b))):]
	if v.Offset > uint64(len(b)) || v.Size > uint64(len(b))-v.Offset {
		return nil, v.fail("access", fmt.Errorf("%w: %d bytes at %d of %d", ErrRange, v.Size, v.Offset, len(b)))
	}
	return b[v.Offset : v.Offset+v.Size], nil
}

// loadWord copies, in one piece if it is a word in its place.
func loadWord(to, from []byte) {
	p := unsafe.Pointer(unsafe.SliceData(from))
	switch {
	case len(from) == 8 && uintptr(p)%8 == 0:
		nativeEndian.PutUint64(to, atomic.LoadUint64((*uint64)(p)))
	case len(from) == 4 && uintptr(p)%4 == 0:
		nativeEndian.PutUint32(to, atomic.LoadUint32((*uint32)(p)))
	default:
		copy(to, from)
	}
}

func storeWord(to, from []byte) {
	p := unsafe.Pointer(unsafe.SliceData(to))
	switch {
	case len(to) == 8 && uintptr(p)%8 == 0:
		atomic.StoreUint64((*uint64)(p), nativeEndian.Uint64(from))
	case len(to) == 4 && uintptr(p)%4 == 0:
		atomic.StoreUint32((*uint32)(p), nativeEndian.Uint32(from))
	default:
		copy(to, from)
	}
}
