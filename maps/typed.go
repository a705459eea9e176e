package maps

import (
	"fmt"
	"iter"
	"reflect"

	"github.com/lode-bpf/lode/btf"
)

// Typed is a map whose keys and values are Go types. They are passed to the
// kernel as they are in memory, so their layout is the map's: fixed sizes, no
// pointers, and padding written out as fields named "_", because Go leaves what
// is in between undefined and the kernel compares all bytes of a key.
//
//	type flow struct { Addr uint32; Port uint16; _ [2]byte }
//	flows, err := maps.NewTyped[flow, uint64](m)
//	n, err := flows.Get(flow{Addr: a, Port: 53})
//
// For a per-CPU map V is the type of one CPU's value: see PerCPU.
type Typed[K, V any] struct {
	m *Map
}

// NewTyped checks, once, that the types have the layout that the map needs: its
// sizes, and the offsets and sizes of all members where the map's BTF is known
// (LoadTypes). Names are not compared. The Map stays the caller's.
func NewTyped[K, V any](m *Map) (Typed[K, V], error) {
	t := Typed[K, V]{m: m}
	if err := m.checkType("key", reflect.TypeFor[K](), m.keySize, m.key); err != nil {
		return t, err
	}
	size := m.valueSize
	if m.cpus == 0 {
		size = m.elemSize
	}
	return t, m.checkType("value", reflect.TypeFor[V](), size, m.value)
}

// Map is the map behind.
func (t Typed[K, V]) Map() *Map { return t.m }

// Lookup copies the value of key to value. It allocates nothing.
func (t Typed[K, V]) Lookup(key *K, value *V) error {
	return t.m.LookupInto(bytesOf(key), bytesOf(value), 0)
}

// Get is the value of key; the error matches ErrNotExist if there is none.
func (t Typed[K, V]) Get(key K) (value V, err error) {
	err = t.Lookup(&key, &value)
	return value, err
}

// Put sets the value of key; flags are those of Map.Update.
func (t Typed[K, V]) Put(key K, value V, flags uint64) error {
	return t.m.Update(bytesOf(&key), bytesOf(&value), flags)
}

// Delete removes key.
func (t Typed[K, V]) Delete(key K) error { return t.m.Delete(bytesOf(&key)) }

// Take removes key and returns what its value was.
func (t Typed[K, V]) Take(key K) (value V, err error) {
	err = t.m.LookupAndDelete(bytesOf(&key), bytesOf(&value), 0)
	return value, err
}

// PerCPU returns the values of all possible CPUs.
func (t Typed[K, V]) PerCPU(key K) ([]V, error) {
	values, err := t.m.LookupPerCPU(bytesOf(&key))
	if err != nil {
		return nil, err
	}
	return splitTyped[V](values), nil
}

// PutPerCPU sets the value of each possible CPU.
func (t Typed[K, V]) PutPerCPU(key K, values []V, flags uint64) error {
	raw := make([][]byte, len(values))
	for i := range values {
		raw[i] = bytesOf(&values[i])
	}
	return t.m.UpdatePerCPU(bytesOf(&key), raw, flags)
}

// All walks the map as Entries does; *err is what ended it early, nil if
// nothing did. For a per-CPU map use AllPerCPU.
func (t Typed[K, V]) All(err *error) iter.Seq2[K, V] {
	return func(yield func(K, V) bool) {
		var key K
		var value V
		e := t.m.Entries()
		for k, v := range e.All() {
			copy(bytesOf(&key), k)
			copy(bytesOf(&value), v)
			if !yield(key, value) {
				break
			}
		}
		*err = e.Err()
	}
}

// AllPerCPU walks a per-CPU map.
func (t Typed[K, V]) AllPerCPU(err *error) iter.Seq2[K, []V] {
	return func(yield func(K, []V) bool) {
		var key K
		e := t.m.Entries()
		for k, v := range e.All() {
			copy(bytesOf(&key), k)
			if !yield(key, splitTyped[V](t.m.SplitPerCPU(v))) {
				break
			}
		}
		*err = e.Err()
	}
}

func splitTyped[V any](values [][]byte) []V {
	out := make([]V, len(values))
	for i, v := range values {
		copy(bytesOf(&out[i]), v)
	}
	return out
}

// checkType checks a Go type against the size and the BTF of a key or value.
func (m *Map) checkType(what string, t reflect.Type, size int, id btf.TypeID) error {
	fail := func(err error) error {
		return &OpError{Op: "use " + t.String() + " as " + what + " of", Map: m.name, Err: err}
	}
	if t.Size() != uintptr(size) {
		return fail(&both{ErrSize, fmt.Errorf("it has %d bytes, the map's %s has %d", t.Size(), what, size)})
	}
	if err := plain(t); err != nil {
		return fail(err)
	}
	if m.btf == nil || id == 0 {
		return nil
	}
	l := layoutCheck{b: m.btf}
	if err := l.check(t, id, 0); err != nil {
		return fail(err)
	}
	return nil
}

// plain reports a Go type whose memory is not all of its value: pointers, or
// padding that has no field. Go types are finite, so it may recurse.
func plain(t reflect.Type) error {
	switch k := t.Kind(); {
	case k == reflect.Array:
		return plain(t.Elem())
	case k == reflect.Struct:
		end := uintptr(0)
		for i := range t.NumField() {
			f := t.Field(i)
			if f.Offset != end {
				return fmt.Errorf("%d bytes of padding before field %q: write them as a field _ [%d]byte", f.Offset-end, f.Name, f.Offset-end)
			}
			end = f.Offset + f.Type.Size()
			if err := plain(f.Type); err != nil {
				return fmt.Errorf("field %q: %w", f.Name, err)
			}
		}
		if end != t.Size() {
			return fmt.Errorf("%d bytes of padding at the end: write them as a field _ [%d]byte", t.Size()-end, t.Size()-end)
		}
		return nil
	case k == reflect.Bool, k >= reflect.Int8 && k <= reflect.Int64, k >= reflect.Uint8 && k <= reflect.Uint64,
		k == reflect.Float32, k == reflect.Float64, k == reflect.Int, k == reflect.Uint:
		return nil
	}
	return fmt.Errorf("a %v is not a plain value: use integers, floats, bools, arrays and structs of these", t)
}

// layoutCheck compares the layouts of a Go type and a BTF type.
type layoutCheck struct {
	b *btf.Spec
}

func (l *layoutCheck) check(t reflect.Type, id btf.TypeID, depth int) error {
	if depth > maxDepth {
		return fmt.Errorf("%w: types nested more than %d deep", ErrLimit, maxDepth)
	}
	size, err := l.b.SizeOf(id)
	if err != nil {
		return err
	}
	bt, err := l.b.Resolve(id)
	if err != nil {
		return err
	}
	if size != uint64(t.Size()) {
		return fmt.Errorf("%w: a %v has %d bytes, the %v %q of BTF %d", ErrSize, t, t.Size(), bt.Kind(), bt.Name(), size)
	}
	switch {
	case t.Kind() == reflect.Array && t.Elem().Kind() == reflect.Uint8:
		return nil // bytes are bytes
	case bt.Kind() == btf.KindArray:
		return l.checkArray(t, bt, depth)
	case bt.Kind() == btf.KindStruct:
		return l.checkStruct(t, bt, depth)
	case bt.Kind() == btf.KindUnion:
		return nil // any of its members, or their bytes
	case t.Kind() == reflect.Struct && t.NumField() == 1:
		return l.check(t.Field(0).Type, id, depth+1)
	case t.Kind() == reflect.Struct, t.Kind() == reflect.Array:
		return fmt.Errorf("a %v for a %v of BTF", t, bt.Kind())
	}
	isFloat := t.Kind() == reflect.Float32 || t.Kind() == reflect.Float64
	if isFloat != (bt.Kind() == btf.KindFloat) {
		return fmt.Errorf("a %v for a %v of BTF", t, bt.Kind())
	}
	return nil
}

func (l *layoutCheck) checkArray(t reflect.Type, bt btf.Type, depth int) error {
	if t.Kind() != reflect.Array || t.Len() != int(bt.Nelems()) {
		return fmt.Errorf("a %v for an array of %d of BTF", t, bt.Nelems())
	}
	if t.Len() == 0 {
		return nil
	}
	return l.check(t.Elem(), bt.Elem(), depth+1)
}

// checkStruct matches fields with members by their place. Blank fields are
// padding; bit fields may be covered by any field.
func (l *layoutCheck) checkStruct(t reflect.Type, bt btf.Type, depth int) error {
	if t.Kind() != reflect.Struct {
		if bt.NumMembers() == 1 {
			return l.check(t, bt.Member(0).Type, depth+1)
		}
		return fmt.Errorf("a %v for struct %q of BTF", t, bt.Name())
	}
	offsets := make(map[uint32]btf.Member, bt.NumMembers())
	for _, m := range bt.Members() {
		if m.BitSize != 0 {
			return nil // sizes agree; which bits are whose is the program's matter
		}
		offsets[m.BitOffset] = m
	}
	for i := range t.NumField() {
		f := t.Field(i)
		if f.Name == "_" {
			continue
		}
		m, ok := offsets[uint32(f.Offset)*8]
		if !ok {
			return fmt.Errorf("field %q is at byte %d, where struct %q of BTF has no member", f.Name, f.Offset, bt.Name())
		}
		if err := l.check(f.Type, m.Type, depth+1); err != nil {
			return fmt.Errorf("field %q, member %q: %w", f.Name, m.Name, err)
		}
	}
	return nil
}
