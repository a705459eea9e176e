package maps

import (
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/lode-bpf/lode/internal/ktest"
	"github.com/lode-bpf/lode/sys"
)

// TestKernelAllocations: what is hot allocates nothing, misses included.
func TestKernelAllocations(t *testing.T) {
	m := newMapOf(t, &Spec{Type: sys.MapTypeHash, KeySize: 4, ValueSize: 8, MaxEntries: 100})
	typed, err := NewTyped[uint32, uint64](m)
	want(t, err)
	key, absent, value, next := u32(1), u32(2), u64(3), make([]byte, 4)
	keys, values := make([]byte, 4*64), make([]byte, 8*64)
	want(t, m.Update(key, value, 0))
	for name, f := range map[string]func(){
		"update": func() { want(t, m.Update(key, value, sys.BPF_ANY)) },
		"lookup": func() { want(t, m.LookupInto(key, value, 0)) },
		"lookup of nothing": func() {
			if m.LookupInto(absent, value, 0) == nil {
				t.Error("found")
			}
		},
		"update and delete": func() {
			want(t, m.Update(absent, value, sys.BPF_ANY))
			want(t, m.Delete(absent))
		},
		"next": func() { want(t, m.Next(nil, next)) },
		"lookup and delete": func() {
			want(t, m.Update(absent, value, sys.BPF_ANY))
			if err := m.LookupAndDelete(absent, value, 0); errors.Is(err, ErrMapType) {
				want(t, m.Delete(absent)) // before 5.14 for queues and stacks only
			} else {
				want(t, err)
			}
		},
		"typed": func() {
			want(t, typed.Put(1, 5, sys.BPF_ANY))
			if v, err := typed.Get(1); err != nil || v != 5 {
				t.Error(v, err)
			}
		},
		"update batch": func() {
			if _, err := m.UpdateBatch(keys[:4], values[:8], 0); err != nil {
				t.Error(err)
			}
		},
	} {
		f()
		if n := testing.AllocsPerRun(100, f); n != 0 && (name != "lookup and delete" || atLeast(5, 14)) {
			t.Errorf("%s allocates %v times", name, n)
		}
	}
	var c Cursor
	lookupBatch := func() {
		place := c.place
		c = Cursor{place: place}
		if _, err := m.LookupBatch(&c, keys, values, 0); err != nil {
			t.Error(err)
		}
	}
	lookupBatch()
	if n := testing.AllocsPerRun(100, lookupBatch); n != 0 {
		t.Errorf("a batch with a used cursor allocates %v times", n)
	}
}

func atLeast(major, minor int) bool {
	a, b := ktest.Version()
	return a > major || a == major && b >= minor
}

// TestKernelRefusals: sizes and types are checked before the kernel is asked,
// and every error says which map and which operation.
func TestKernelRefusals(t *testing.T) {
	ktest.NoFDLeaks(t)
	m := newMapOf(t, &Spec{Name: "refusing", Type: sys.MapTypeHash, KeySize: 4, ValueSize: 8, MaxEntries: 2})
	one, value := u32(1), u64(1)
	for name, err := range map[string]error{
		"lookup":     m.LookupInto(one[:3], value, 0),
		"value":      m.LookupInto(one, value[:7], 0),
		"update":     m.Update(one, append(value, 0), 0),
		"delete":     m.Delete(nil),
		"next":       m.Next(one, value),
		"next of":    m.Next(value, one),
		"and delete": m.LookupAndDelete(one, one, 0),
		"batch":      func() error { _, err := m.UpdateBatch(one, value[:4], 0); return err }(),
		"batch key":  func() error { _, err := m.DeleteBatch(one[:3]); return err }(),
		"no room":    func() error { _, err := m.LookupBatch(&Cursor{}, nil, value, 0); return err }(),
	} {
		want(t, err, ErrSize)
		var op *OpError
		if !errors.As(err, &op) || op.Map != "refusing" || op.Op == "" {
			t.Errorf("%s: %v does not name map and operation", name, err)
		}
	}
	_, err := m.LookupPerCPU(one)
	want(t, err, ErrMapType)
	want(t, m.SetSlot(0, m.FD()), ErrSize)
	want(t, m.FillSlots([]Slot{{}}, nil), ErrMapType)
	_, err = m.Memory()
	want(t, err, ErrMapType)
	_, err = m.Variable("x")
	want(t, err, ErrNotExist)
	want(t, m.Fill(&Spec{Data: []byte{1}}), ErrMapType)

	want(t, m.Close())
	want(t, m.Close())
	want(t, m.LookupInto(one, value, 0), ErrClosed, sys.EBADF)
	want(t, m.Update(one, value, 0), ErrClosed)
	_, err = m.Info()
	want(t, err, ErrClosed)
	e := m.Entries()
	for range e.All() {
		t.Error("an entry of a closed map")
	}
	want(t, e.Err(), ErrClosed)
	if m.FD() != -1 {
		t.Errorf("descriptor is %d, want -1", m.FD())
	}
	var none *Map
	want(t, none.Close())
}

// TestKernelCreateErrors: a definition that the kernel refuses comes back with
// what is probably wrong with it.
func TestKernelCreateErrors(t *testing.T) {
	ktest.Root(t)
	ktest.NoFDLeaks(t)
	for _, c := range []struct {
		spec Spec
		text string
	}{
		{Spec{Type: sys.MapTypeHash, ValueSize: 8, MaxEntries: 1}, "no key size"},
		{Spec{Type: sys.MapTypeHash, KeySize: 4, ValueSize: 8}, "no max_entries"},
		{Spec{Type: sys.MapTypeLPMTrie, KeySize: 8, ValueSize: 8, MaxEntries: 1}, "BPF_F_NO_PREALLOC"},
		{Spec{Type: sys.MapTypeRingBuf, KeySize: 4, MaxEntries: 4096}, "no key size and no value size"},
		{Spec{Type: sys.MapTypeQueue, KeySize: 4, ValueSize: 4, MaxEntries: 1}, "no key size"},
		{Spec{Type: sys.MapTypeSKStorage, KeySize: 4, ValueSize: 4, MaxEntries: 1, Flags: 1}, "no max_entries"},
		{Spec{Type: sys.MapTypeSKStorage, KeySize: 4, ValueSize: 4, Flags: 1}, "BTF types"},
		{Spec{Type: 9999, KeySize: 4, ValueSize: 4, MaxEntries: 1}, "9999"},
		{Spec{Type: sys.MapTypeArrayOfMaps, KeySize: 4, MaxEntries: 1}, "needs a template"},
		{Spec{Type: sys.MapTypeArrayOfMaps, KeySize: 4, MaxEntries: 1, InnerMap: "other"}, `template "other" is another map`},
		{Spec{Type: sys.MapTypeArrayOfMaps, KeySize: 4, MaxEntries: 1, Inner: &Spec{Type: sys.MapTypeArrayOfMaps}}, "one level"},
		{Spec{Type: sys.MapTypeStructOps, KeySize: 4, MaxEntries: 1}, "CreateOptions.KernelValue"},
		{Spec{Type: sys.MapTypeArray, KeySize: 4, MaxEntries: 1, Internal: true, DataSize: 1 << 36}, "section of 68719476736"},
	} {
		c.spec.Name = "bad"
		_, err := Create(sys.Live(), &c.spec, CreateOptions{})
		if err == nil || !containsAll(err.Error(), c.text, `"bad"`) {
			t.Errorf("%v: error is %v, want it to say %q", c.spec.Type, err, c.text)
		}
	}
}

// TestKernelNewFlags: a flag that the kernel is too old for is named, with the
// version that brought it, and one that is not for the type is a mistake.
func TestKernelNewFlags(t *testing.T) {
	ktest.Root(t)
	ktest.NoFDLeaks(t)
	for _, c := range []struct {
		spec         Spec
		major, minor int
		text         string
	}{
		{Spec{Type: sys.MapTypeArena, MaxEntries: 1, Flags: sys.BPF_F_MMAPABLE | sys.BPF_F_SEGV_ON_FAULT}, 6, 9, "arena"}, // flag and type are of one age
		{Spec{Type: sys.MapTypeRingBuf, MaxEntries: 4096, Flags: sys.BPF_F_RB_OVERWRITE}, 6, 19, "the flag BPF_F_RB_OVERWRITE"},
	} {
		m, err := Create(sys.Live(), &c.spec, CreateOptions{})
		m.Close()
		if atLeast(c.major, c.minor) {
			want(t, err)
			continue
		}
		var lacks *sys.NotSupported
		if !errors.As(err, &lacks) || lacks.Since != fmt.Sprintf("%d.%d", c.major, c.minor) || !strings.Contains(lacks.Feature, c.text) {
			t.Errorf("%v: %v", c.spec.Type, err)
		}
	}
	_, err := Create(sys.Live(), &Spec{Name: "bad", Type: sys.MapTypeHash, KeySize: 4, ValueSize: 4, MaxEntries: 1, Flags: sys.BPF_F_RB_OVERWRITE}, CreateOptions{})
	if err == nil || !containsAll(err.Error(), `"bad"`, "BPF_F_RB_OVERWRITE is for maps of type ringbuf") {
		t.Errorf("a flag of another type: %v", err)
	}
	token := loadBTF(t, types(t).spec) // is none
	_, err = Create(sys.Live(), &Spec{Name: "bad", Type: sys.MapTypeHash, KeySize: 4, ValueSize: 4, MaxEntries: 1}, CreateOptions{TokenFD: token})
	var lacks *sys.NotSupported
	if errors.As(err, &lacks) == atLeast(6, 9) {
		t.Errorf("a token that is none: %v", err)
	}
}

func containsAll(s string, parts ...string) bool {
	for _, p := range parts {
		if !strings.Contains(s, p) {
			return false
		}
	}
	return true
}

// TestKernelTypes: keys and values with BTF; what the kernel refuses is reported
// and done without.
func TestKernelTypes(t *testing.T) {
	ktest.NoFDLeaks(t)
	b := types(t)
	fd := loadBTF(t, b.spec)
	m := newMapWith(t, &Spec{Type: sys.MapTypeHash, KeySize: 4, ValueSize: 16, MaxEntries: 2, BTF: b.spec, Key: b.i32, Value: b.two}, CreateOptions{BTFFD: fd, Name: "some/other-name-that-is-long"})
	d, err := m.Describe()
	want(t, err)
	if d.BTF == nil || d.BTF.Type(d.Value).Name() != "two" || d.Name != "some_other_name" || len(m.Findings()) != 0 {
		t.Errorf("described as %+v, findings %v", d, m.Findings())
	}
	want(t, Compatible(&Spec{Type: sys.MapTypeHash, KeySize: 4, ValueSize: 16, MaxEntries: 2, BTF: b.spec, Key: b.i32, Value: b.two}, d, Env{}))
	// The value's type has another size than the map's value.
	wrong := newMapWith(t, &Spec{Name: "wrong", Type: sys.MapTypeHash, KeySize: 4, ValueSize: 12, MaxEntries: 2, BTF: b.spec, Key: b.i32, Value: b.two}, CreateOptions{BTFFD: fd})
	if f := wrong.Findings(); len(f) != 1 || !strings.Contains(f[0].String(), "refused the types") {
		t.Errorf("findings are %v, want one about the types", f)
	}
	again, err := FromID(sys.Live(), d.ID)
	want(t, err)
	defer again.Close()
	want(t, again.LoadTypes())
	if spec, key, value := again.BTF(); spec.Type(key).Name() != "int" || spec.Type(value).Name() != "two" {
		t.Error("types that were loaded are not the map's")
	}
	_, err = FromID(sys.Live(), 1<<31)
	want(t, err, ErrNotExist)
}

// TestKernelValueType: a map without keys has a type of its values.
func TestKernelValueType(t *testing.T) {
	ktest.Kernel(t, 5, 16, "bloom filters")
	b := types(t)
	m := newMapWith(t, &Spec{Type: sys.MapTypeBloomFilter, ValueSize: 16, MaxEntries: 2, BTF: b.spec, Value: b.two}, CreateOptions{BTFFD: loadBTF(t, b.spec)})
	d, err := m.Describe()
	want(t, err)
	if d.BTF == nil || d.BTF.Type(d.Value).Name() != "two" || len(m.Findings()) != 0 {
		t.Errorf("described as %+v, findings %v", d, m.Findings())
	}
}

// TestKernelFrom: maps by pin and by descriptor; a program is not one.
func TestKernelFrom(t *testing.T) {
	ktest.NoFDLeaks(t)
	dir := ktest.BPFFS(t)
	m := newMapOf(t, &Spec{Name: "pinned", Type: sys.MapTypeArray, KeySize: 4, ValueSize: 8, MaxEntries: 1})
	want(t, m.Update(u32(0), u64(9), 0))
	want(t, sys.ObjPin(sys.Live(), &sys.ObjAttr{Pathname: sys.StringPtr(dir + "/m"), BPFFD: int32(m.FD())}))
	p, err := FromPin(sys.Live(), dir+"/m", 0)
	want(t, err)
	defer p.Close()
	if wantU64(t, p, u32(0), 9); p.Name() != "pinned" {
		t.Errorf("name is %q", p.Name())
	}
	r, err := FromPin(sys.Live(), dir+"/m", sys.BPF_F_RDONLY)
	want(t, err)
	defer r.Close()
	want(t, r.Update(u32(0), u64(1), 0), sys.EPERM)
	_, err = FromPin(sys.Live(), dir+"/absent", 0)
	want(t, err, ErrNotExist, os.ErrNotExist)

	prog := loadProg(t, sys.ProgTypeSocketFilter, exit(0))
	want(t, sys.ObjPin(sys.Live(), &sys.ObjAttr{Pathname: sys.StringPtr(dir + "/p"), BPFFD: prog.Num()}))
	_, err = FromPin(sys.Live(), dir+"/p", 0)
	want(t, err, ErrMapType)
	f, err := os.Open("/dev/null")
	want(t, err)
	n, err := sys.Live().Dup(int(f.Fd()))
	want(t, err)
	want(t, f.Close())
	if _, err = FromFD(sys.Live(), sys.NewFD(nil, n)); err == nil {
		t.Error("/dev/null is taken for a map")
	}
}

// TestKernelFill: data, contents, slots, freezing.
func TestKernelFill(t *testing.T) {
	s := &Spec{Name: ".rodata", Type: sys.MapTypeArray, KeySize: 4, ValueSize: 8, MaxEntries: 1, Flags: sys.BPF_F_RDONLY_PROG | sys.BPF_F_MMAPABLE,
		Data: u64(42), DataSize: 8, Internal: true, Freeze: true, Vars: []Var{{Name: "x", Size: 8}}}
	m := newMapOf(t, s)
	want(t, m.Fill(s))
	want(t, m.Freeze())
	wantU64(t, m, u32(0), 42)
	want(t, m.Update(u32(0), u64(1), 0), sys.EPERM)
	v, err := m.Variable("x")
	want(t, err)
	b, err := v.Bytes()
	want(t, err)
	if binary.NativeEndian.Uint64(b) != 42 {
		t.Errorf("variable is % x", b)
	}
	want(t, v.SetBytes(u64(1)), sys.EPERM) // and not the end of the process
	want(t, m.Fill(&Spec{Data: []byte{1}}), ErrSize)

	c := &Spec{Type: sys.MapTypePerCPUArray, KeySize: 4, ValueSize: 4, MaxEntries: 2, Contents: []KV{{u32(1), u32(7)}}}
	p := newMapOf(t, c)
	want(t, p.Fill(c))
	values, err := p.LookupPerCPU(u32(1))
	want(t, err)
	for cpu, v := range values {
		if binary.NativeEndian.Uint32(v) != 7 {
			t.Errorf("CPU %d has % x, want 7", cpu, v)
		}
	}
	want(t, p.Fill(&Spec{Contents: []KV{{u32(9), u32(7)}}}), ErrRange)
}

// TestKernelEntries: a walk delivers every entry once, by batches of any size and
// key by key, also while others delete and insert.
func TestKernelEntries(t *testing.T) {
	const size = 2000
	fill := func(m *Map) {
		value := make([]byte, m.ElemSize())
		for i := range uint32(size) {
			want(t, m.Update(u32(i), value, 0))
		}
	}
	for _, typ := range []sys.MapType{sys.MapTypeHash, sys.MapTypePerCPUHash, sys.MapTypeArray, sys.MapTypePerCPUArray} {
		for _, batch := range []int{0, 1, 7, 4096} {
			t.Run(fmt.Sprintf("%v/%d", typ, batch), func(t *testing.T) {
				m := newMapOf(t, &Spec{Type: typ, KeySize: 4, ValueSize: 8, MaxEntries: size})
				fill(m)
				seen := map[uint32]int{}
				e := m.Entries().BatchSize(batch)
				for k, v := range e.All() {
					if len(v) != m.ElemSize() {
						t.Fatalf("value of %d bytes", len(v))
					}
					seen[binary.NativeEndian.Uint32(k)]++
				}
				want(t, e.Err())
				if len(seen) != size {
					t.Errorf("%d keys, want %d", len(seen), size)
				}
				for k, n := range seen {
					if n != 1 {
						t.Errorf("key %d came %d times", k, n)
					}
				}
			})
		}
	}
	for _, batch := range []int{0, 64} {
		t.Run(fmt.Sprintf("deletion/%d", batch), func(t *testing.T) {
			m := newMapOf(t, &Spec{Type: sys.MapTypeHash, KeySize: 4, ValueSize: 8, MaxEntries: 2 * size})
			fill(m)
			seen := map[uint32]bool{}
			n := uint32(size)
			e := m.Entries().BatchSize(batch)
			for k := range e.Keys() {
				key := binary.NativeEndian.Uint32(k)
				if seen[key] {
					t.Fatalf("key %d came twice", key)
				}
				seen[key] = true
				// The loop removes what it gets, others and itself, odd keys
				// only; new ones come.
				want(t, m.Update(u32(n), u64(0), 0))
				n++
				for _, victim := range []uint32{key, key + 2, key ^ 64} {
					if victim%2 == 1 && victim < size {
						if err := m.Delete(u32(victim)); err != nil {
							want(t, err, ErrNotExist)
						}
					}
				}
				if n == 2*size-2 {
					break
				}
			}
			want(t, e.Err())
			for k := uint32(0); k < size && n < 2*size-2; k += 2 {
				if !seen[k] {
					t.Errorf("key %d, which was there all the time, did not come", k)
				}
			}
		})
	}
}

// TestKernelDrain: what a drain delivers is gone.
func TestKernelDrain(t *testing.T) {
	for _, batch := range []int{0, 16} {
		m := newMapOf(t, &Spec{Type: sys.MapTypeHash, KeySize: 4, ValueSize: 8, MaxEntries: 100})
		for i := range uint32(100) {
			want(t, m.Update(u32(i), u64(uint64(i)), 0))
		}
		n := 0
		e := m.Drain().BatchSize(batch)
		for k, v := range e.All() {
			if binary.NativeEndian.Uint32(k) != uint32(binary.NativeEndian.Uint64(v)) {
				t.Errorf("key % x has value % x", k, v)
			}
			n++
		}
		if want(t, e.Err()); n != 100 {
			t.Errorf("%d entries, want 100", n)
		}
		want(t, m.Next(nil, make([]byte, 4)), ErrNotExist)
	}
}

// TestKernelBatch: many keys in one call, and how far it got.
func TestKernelBatch(t *testing.T) {
	m := newMapOf(t, &Spec{Type: sys.MapTypeHash, KeySize: 4, ValueSize: 8, MaxEntries: 10})
	var keys, values []byte
	for i := range uint32(12) {
		keys, values = append(keys, u32(i)...), append(values, u64(uint64(i)*3)...)
	}
	n, err := m.UpdateBatch(keys, values, 0)
	if want(t, err, ErrFull); n != 10 {
		t.Errorf("%d of 10 places were filled", n)
	}
	var c Cursor
	k, v := make([]byte, 4*16), make([]byte, 8*16)
	total := 0
	for !c.Done() {
		n, err := m.LookupBatch(&c, k, v, 0)
		want(t, err)
		total += n
	}
	if total != 10 {
		t.Errorf("%d entries, want 10", total)
	}
	if n, err := m.LookupBatch(&c, k, v, 0); n != 0 || err != nil {
		t.Errorf("behind the end: %d, %v", n, err)
	}
	n, err = m.DeleteBatch(keys[:4*5])
	if want(t, err); n != 5 {
		t.Errorf("%d keys deleted, want 5", n)
	}
	n, err = m.DeleteBatch(keys[4*4 : 4*8])
	if want(t, err, ErrNotExist); n != 0 {
		t.Errorf("%d keys deleted, want 0: the first is gone", n)
	}
	q := newMapOf(t, &Spec{Type: sys.MapTypeQueue, ValueSize: 8, MaxEntries: 10})
	_, err = q.LookupBatch(&Cursor{}, k, v, 0)
	want(t, err, ErrMapType)
	_, err = q.UpdateBatch(nil, v, 0)
	want(t, err, ErrMapType)
}

// TestKernelWrapped: through a kernel that is not simply the running one, the
// same operations do the same.
func TestKernelWrapped(t *testing.T) {
	ktest.Root(t)
	ktest.NoFDLeaks(t)
	k := wrapped{sys.Live()}
	m, err := Create(k, &Spec{Name: "slow", Type: sys.MapTypeHash, KeySize: 4, ValueSize: 8, MaxEntries: 2}, CreateOptions{})
	want(t, err)
	defer m.Close()
	want(t, m.Update(u32(1), u64(10), 0))
	wantU64(t, m, u32(1), 10)
	_, err = m.Lookup(u32(2))
	want(t, err, ErrNotExist)
	next := make([]byte, 4)
	want(t, m.Next(nil, next))
	want(t, m.Next(next, next), ErrNotExist)
	n := 0
	e := m.Entries()
	for range e.All() {
		n++
	}
	if want(t, e.Err()); n != 1 {
		t.Errorf("%d entries, want 1", n)
	}
	if _, err := m.UpdateBatch(append(u32(3), u32(4)...), make([]byte, 16), 0); err == nil {
		t.Error("three entries fit into two places")
	}
	want(t, m.Delete(u32(1)))
}

// wrapped is a kernel that is not the live one.
type wrapped struct{ sys.Kernel }
