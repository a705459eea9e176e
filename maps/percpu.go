package maps

import (
	"errors"
	"fmt"

	"github.com/lode-bpf/lode/sys"
)

// LookupPerCPU returns the values that all possible CPUs have for a key, in
// the order of their numbers. The slices share memory.
func (m *Map) LookupPerCPU(key []byte) ([][]byte, error) {
	if m.cpus == 0 {
		return nil, &OpError{Op: "lookup", Map: m.name, Err: ErrMapType, Hint: fmt.Sprintf("maps of type %v have one value", m.typ)}
	}
	raw, err := m.Lookup(key)
	if err != nil {
		return nil, err
	}
	return m.SplitPerCPU(raw), nil
}

// SplitPerCPU cuts what a lookup in a per-CPU map returned into the values of
// the CPUs, without copying. It is nil if raw has another size.
func (m *Map) SplitPerCPU(raw []byte) [][]byte {
	if m.cpus == 0 || len(raw) != m.elemSize {
		return nil
	}
	values, step := make([][]byte, m.cpus), m.stride()
	for i := range values {
		values[i] = raw[i*step : i*step+m.valueSize : i*step+m.valueSize]
	}
	return values
}

// UpdatePerCPU sets the value of each possible CPU for a key; flags are those
// of Update.
func (m *Map) UpdatePerCPU(key []byte, values [][]byte, flags uint64) error {
	if m.cpus == 0 {
		return &OpError{Op: "update", Map: m.name, Err: ErrMapType, Hint: fmt.Sprintf("maps of type %v have one value", m.typ)}
	}
	if len(values) != m.cpus {
		return m.sizeError("update", "the list of values", len(values)*m.valueSize, m.cpus*m.valueSize)
	}
	raw, step := make([]byte, m.elemSize), m.stride()
	for i, v := range values {
		if len(v) != m.valueSize {
			return m.sizeError("update", fmt.Sprintf("the value of CPU %d", i), len(v), m.valueSize)
		}
		copy(raw[i*step:], v)
	}
	return m.Update(key, raw, flags)
}

// LookupCPU copies the value that one CPU has for a key to value. Kernels that
// cannot fetch it alone fetch them all.
func (m *Map) LookupCPU(key []byte, cpu int, value []byte) error {
	if cpu < 0 || cpu >= m.cpus {
		return m.noCPU("lookup", cpu)
	}
	if len(value) != m.valueSize {
		return m.sizeError("lookup", "the value", len(value), m.valueSize)
	}
	err := m.LookupInto(key, value, uint64(cpu)<<32|sys.BPF_F_CPU)
	if !errors.Is(err, sys.EINVAL) {
		return err
	}
	all := make([]byte, m.elemSize)
	if err := m.LookupInto(key, all, 0); err != nil {
		return err
	}
	copy(value, all[cpu*m.stride():])
	return nil
}

// UpdateCPU sets the value that one CPU has for a key and leaves those of the
// others; those of a new key are zero. Kernels before 7.0 cannot, and nothing that
// is made of several calls does the same: what programs add to the values of other
// CPUs in between would be lost. The error then is a *sys.NotSupported.
func (m *Map) UpdateCPU(key []byte, cpu int, value []byte) error {
	if cpu < 0 || cpu >= m.cpus {
		return m.noCPU("update", cpu)
	}
	// The kernel takes BPF_NOEXIST and BPF_EXIST beside this flag, and ignores them.
	err := m.Update(key, value, uint64(cpu)<<32|sys.BPF_F_CPU)
	var lacks *sys.NotSupported
	if errors.Is(err, sys.EINVAL) && errors.As(sys.Probe(m.k, sys.FeaturePerCPUFlags), &lacks) {
		err = &OpError{Op: "update", Map: m.name, Err: &sys.NotSupported{Feature: "setting the value of one CPU", Since: lacks.Since, Err: err}}
	}
	return err
}

func (m *Map) noCPU(op string, cpu int) error {
	if m.cpus == 0 {
		return &OpError{Op: op, Map: m.name, Err: ErrMapType, Hint: fmt.Sprintf("maps of type %v have one value", m.typ)}
	}
	return &OpError{Op: op, Map: m.name, Err: ErrRange, Hint: fmt.Sprintf("CPU %d of %d", cpu, m.cpus)}
}
