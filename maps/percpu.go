package maps

import "fmt"

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
