package maps

import (
	"fmt"

	"github.com/lode-bpf/lode/sys"
)

// Fill writes what the definition starts with: its data and its contents. The
// slots, which refer to other maps and to programs, are FillSlots' part, and
// freezing is Freeze's. Fill is for a map that was just created; whether one
// that existed keeps its contents is the caller's decision.
func (m *Map) Fill(s *Spec) error {
	if err := m.fillData(s); err != nil {
		return err
	}
	for i, kv := range s.Contents {
		value := kv.Value
		if m.cpus > 0 && len(value) == m.valueSize {
			value = replicate(value, m.cpus)
		}
		if err := m.Update(kv.Key, value, sys.BPF_ANY); err != nil {
			return fmt.Errorf("initial entry %d: %w", i, err)
		}
	}
	return nil
}

// fillData writes the data of a section into its map. Zeroes are there already.
func (m *Map) fillData(s *Spec) error {
	if m.typ == sys.MapTypeStructOps {
		return nil // the value is in the kernel's layout, not the definition's
	}
	if m.typ == sys.MapTypeArena {
		return m.fillArena(s.Data, s.DataAt)
	}
	if len(s.Data) == 0 {
		return nil
	}
	if m.typ != sys.MapTypeArray || m.keySize != 4 {
		return &OpError{Op: "fill", Map: m.name, Err: &both{ErrMapType, fmt.Errorf("data of a section goes into an array, this is of type %v", m.typ)}}
	}
	if len(s.Data) != m.valueSize {
		return m.sizeError("fill", "the initial data", len(s.Data), m.valueSize)
	}
	return m.Update(make([]byte, 4), s.Data, sys.BPF_ANY)
}

// replicate is a per-CPU value that is the same for each of n CPUs.
func replicate(value []byte, n int) []byte {
	step := PerCPUSize(len(value), 1)
	all := make([]byte, step*n)
	for i := range n {
		copy(all[i*step:], value)
	}
	return all
}

// FillSlots writes the references of a map of maps or a program array. fd
// resolves a slot to the descriptor of its map or program; a negative one
// leaves the slot empty. A *Map that the slots refer to may be shared by any
// number of slots and maps.
func (m *Map) FillSlots(slots []Slot, fd func(Slot) (int, error)) error {
	if !isFDMap(m.typ) {
		if len(slots) == 0 || m.typ == sys.MapTypeStructOps {
			return nil
		}
		return &OpError{Op: "fill", Map: m.name, Err: &both{ErrMapType, fmt.Errorf("slots of a map of type %v", m.typ)}}
	}
	for _, slot := range slots {
		n, err := fd(slot)
		if err != nil {
			return fmt.Errorf("slot %d: %w", slot.Index, err)
		}
		if n < 0 {
			continue
		}
		if err := m.SetSlot(slot.Index, n); err != nil {
			return err
		}
	}
	return nil
}

// SetSlot puts a map, program, perf event or cgroup, by its descriptor, into a
// map of such whose keys are of 4 bytes.
func (m *Map) SetSlot(index uint32, fd int) error {
	key, value := make([]byte, 4), make([]byte, 4)
	nativeEndian.PutUint32(key, index)
	nativeEndian.PutUint32(value, uint32(fd))
	if err := m.Update(key, value, sys.BPF_ANY); err != nil {
		return fmt.Errorf("slot %d: %w", index, err)
	}
	return nil
}

// SetSlots is SetSlot for several slots, fds[i] into keys[i]. Where the kernel has batches
// for the type it is one call: for a map of maps the kernel waits after each until no
// program works with what was in the slots, which takes milliseconds.
func (m *Map) SetSlots(keys []uint32, fds []int) error {
	if len(keys) > 1 && (m.typ == sys.MapTypeArrayOfMaps || m.typ == sys.MapTypeHashOfMaps) {
		var k, v []byte
		for i, key := range keys {
			k, v = nativeEndian.AppendUint32(k, key), nativeEndian.AppendUint32(v, uint32(fds[i]))
		}
		if _, err := m.UpdateBatch(k, v, sys.BPF_ANY); !noBatch(err) {
			return err
		}
	}
	for i, key := range keys {
		if err := m.SetSlot(key, fds[i]); err != nil {
			return err
		}
	}
	return nil
}

// Freeze makes the map read-only for user space, for ever. It fails while the
// map is mapped writably anywhere.
func (m *Map) Freeze() error {
	if err := sys.MapFreeze(m.k, m.fd.Int()); err != nil {
		return &OpError{Op: "freeze", Map: m.name, Err: err}
	}
	return nil
}
