package maps

import (
	"github.com/lode-bpf/lode/sys"
)

// A Cursor is a place in a map between two batches. The zero value stands
// before the first element. It belongs to one map.
type Cursor struct {
	place   []byte // opaque to us; a bucket number or a key
	started bool
	done    bool
}

// Done reports whether the last element was delivered.
func (c *Cursor) Done() bool { return c.done }

// LookupBatch copies the elements behind the cursor: n keys and n values, side
// by side, as many as fit into both. At the end of the map, Done is true and n
// is what the last batch had, maybe 0. flags is 0 or BPF_F_LOCK.
//
// Elements that are there all the time are delivered exactly once from hash
// tables and arrays, whatever else is added and deleted meanwhile. A hash table
// gives whole buckets only: if one does not fit, the error matches ErrSize and
// the same call with larger memory goes on. Kernels since 5.6 have batches for
// hash tables and arrays; where the kernel has none the error is ErrMapType.
// With BPF_F_CPU and the number of a CPU in the upper half of flags, which newer
// kernels have, the values are of that CPU alone.
func (m *Map) LookupBatch(c *Cursor, keys, values []byte, flags uint64) (n int, err error) {
	return m.batch(sys.CmdMapLookupBatch, "lookup batch", c, keys, values, flags)
}

// LookupAndDeleteBatch is LookupBatch that also removes what it copies. Only
// hash tables have it.
func (m *Map) LookupAndDeleteBatch(c *Cursor, keys, values []byte, flags uint64) (n int, err error) {
	return m.batch(sys.CmdMapLookupAndDeleteBatch, "lookup and delete batch", c, keys, values, flags)
}

func (m *Map) batch(cmd sys.Cmd, op string, c *Cursor, keys, values []byte, flags uint64) (int, error) {
	if c.done {
		return 0, nil
	}
	count, err := m.batchCount(op, keys, values, m.sizeWith(flags))
	if err != nil {
		return 0, err
	}
	if c.place == nil {
		c.place = make([]byte, max(8, m.keySize)) // 4 bytes for hash tables, a key for others
	}
	attr := sys.MapBatchAttr{Keys: sys.BytesPtr(keys), Values: sys.BytesPtr(values), OutBatch: sys.BytesPtr(c.place),
		Count: uint32(count), MapFD: m.fd.Num(), ElemFlags: flags}
	if c.started {
		attr.InBatch = attr.OutBatch
	}
	switch err = m.doBatch(cmd, &attr); err {
	case nil:
		c.started = true
	case sys.ENOENT:
		c.done = true
	case sys.ENOSPC:
		return 0, m.sizeError(op, "the memory for a bucket", count, count+1)
	default:
		return 0, m.fail(op, batchError(err))
	}
	return int(min(attr.Count, uint32(count))), nil
}

// batchCount is how many elements, with values of size bytes, fit into both buffers.
func (m *Map) batchCount(op string, keys, values []byte, size int) (int, error) {
	if m.keySize == 0 || size == 0 {
		return 0, &OpError{Op: op, Map: m.name, Err: ErrMapType}
	}
	count := min(len(keys)/m.keySize, len(values)/size)
	if count == 0 {
		return 0, m.sizeError(op, "the memory", min(len(keys), len(values)), m.keySize+size)
	}
	return min(count, 1<<30), nil
}

// UpdateBatch sets the values of several keys, side by side in keys and values.
// n is how many were set, also after an error. flags are those of Update.
func (m *Map) UpdateBatch(keys, values []byte, flags uint64) (n int, err error) {
	size := m.sizeWith(flags)
	if m.keySize == 0 || size == 0 {
		return 0, &OpError{Op: "update batch", Map: m.name, Err: ErrMapType}
	}
	count := len(keys) / m.keySize
	if len(keys) != count*m.keySize {
		return 0, m.sizeError("update batch", "the last key", len(keys)%m.keySize, m.keySize)
	}
	if len(values) != count*size {
		return 0, m.sizeError("update batch", "the memory of the values", len(values), count*size)
	}
	return m.changeBatch(sys.CmdMapUpdateBatch, "update batch", keys, values, count, flags)
}

// DeleteBatch removes several keys, side by side. n is how many were removed:
// the first that does not exist ends it with ErrNotExist.
func (m *Map) DeleteBatch(keys []byte) (n int, err error) {
	if m.keySize == 0 {
		return 0, &OpError{Op: "delete batch", Map: m.name, Err: ErrMapType}
	}
	count := len(keys) / m.keySize
	if len(keys) != count*m.keySize {
		return 0, m.sizeError("delete batch", "the last key", len(keys)%m.keySize, m.keySize)
	}
	return m.changeBatch(sys.CmdMapDeleteBatch, "delete batch", keys, nil, count, 0)
}

func (m *Map) changeBatch(cmd sys.Cmd, op string, keys, values []byte, count int, flags uint64) (int, error) {
	if count == 0 {
		return 0, nil
	}
	attr := sys.MapBatchAttr{Keys: sys.BytesPtr(keys), Values: sys.BytesPtr(values), Count: uint32(count),
		MapFD: m.fd.Num(), ElemFlags: flags}
	if err := m.doBatch(cmd, &attr); err != nil {
		n := int(min(attr.Count, uint32(count)))
		if noBatch(err) {
			n = 0 // the count was not looked at
		}
		return n, m.fail(op, batchError(err))
	}
	return count, nil
}

// doBatch makes the system call, directly where that is possible. The error is
// a bare errno, or what a stand-in for the kernel says.
func (m *Map) doBatch(cmd sys.Cmd, attr *sys.MapBatchAttr) error {
	if m.live {
		return sys.MapBatch(cmd, attr)
	}
	slow := *attr
	_, err := m.k.BPF(cmd, &slow)
	attr.Count = slow.Count
	if n := sys.ErrnoOf(err); n == sys.ENOENT || n == sys.ENOSPC {
		return n
	}
	return err
}

// noBatch reports the answers of kernels that have no such command, or not for
// this type of map.
func noBatch(err error) bool {
	switch sys.ErrnoOf(err) {
	case sys.ENOTSUPP, sys.EOPNOTSUPP, sys.EINVAL, sys.EBADF, sys.EFAULT:
		return true
	}
	return false
}

func batchError(err error) error {
	if n := sys.ErrnoOf(err); n == sys.ENOTSUPP || n == sys.EOPNOTSUPP {
		return &both{ErrMapType, &sys.NotSupported{Feature: "batches for this type of map", Err: err}}
	}
	return err
}
