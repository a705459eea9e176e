package maps

import (
	"errors"
	"iter"

	"github.com/lode-bpf/lode/sys"
)

// Entries walks a map.
//
//	e := m.Entries()
//	for key, value := range e.All() {
//		...
//	}
//	if err := e.Err(); err != nil {
//		...
//	}
//
// Entries that exist from beginning to end are delivered exactly once, no key
// is delivered twice, and the walk ends, whatever is added, changed and
// deleted meanwhile, by the loop itself or by others. Of what comes or goes
// during the walk, some is delivered.
type Entries struct {
	m     *Map
	err   error
	batch int
	drain bool
}

// Entries prepares a walk over the map. It uses batches where the kernel has
// them; elsewhere it remembers the keys that it has delivered.
func (m *Map) Entries() *Entries { return &Entries{m: m, batch: defaultBatch(m)} }

// Drain is Entries that also removes what it delivers: from a hash table or,
// one by one, from anything that has LookupAndDelete, queues and stacks
// included (their key is nil).
func (m *Map) Drain() *Entries {
	e := m.Entries()
	e.drain = true
	return e
}

// BatchSize sets how many entries one system call fetches; 0 goes key by key.
func (e *Entries) BatchSize(n int) *Entries {
	e.batch = max(0, n)
	return e
}

// Err is what ended the walk before its end; nil if nothing did.
func (e *Entries) Err() error { return e.err }

// batchBytes is the memory for one batch: enough that the system call itself
// costs little beside the copying, small enough to stay in a processor's cache.
const batchBytes = 128 << 10

// defaultBatch is how many entries make up a batch.
func defaultBatch(m *Map) int {
	size := m.keySize + m.elemSize
	return max(64, min(batchBytes/max(1, size), int(m.maxEntries)))
}

// All delivers key and value of each entry. The two slices are overwritten by
// the next: copy what is to be kept. A second call walks again.
func (e *Entries) All() iter.Seq2[[]byte, []byte] {
	return func(yield func(key, value []byte) bool) {
		e.err = nil
		switch {
		case e.drain && e.m.keySize == 0:
			e.drainQueue(yield)
		case e.batch > 0 && hasBatch(e.m.typ):
			e.batches(yield)
		case e.m.isIndexed():
			e.indices(yield)
		default:
			e.keys(yield)
		}
	}
}

// Keys delivers the keys alone, under the same rules as All.
func (e *Entries) Keys() iter.Seq[[]byte] {
	return func(yield func([]byte) bool) {
		for key := range e.All() {
			if !yield(key) {
				return
			}
		}
	}
}

// hasBatch reports the types whose batches go from bucket to bucket, or by
// index, and so cannot lose their place.
func hasBatch(t sys.MapType) bool {
	switch t {
	case sys.MapTypeHash, sys.MapTypeLRUHash, sys.MapTypePerCPUHash, sys.MapTypeLRUPerCPUHash, sys.MapTypeHashOfMaps,
		sys.MapTypeArray, sys.MapTypePerCPUArray:
		return true
	}
	return false
}

// isIndexed reports arrays of values, all of whose entries always exist.
func (m *Map) isIndexed() bool { return m.isArray() && m.keySize == 4 }

// batches walks with one system call for many entries.
func (e *Entries) batches(yield func(key, value []byte) bool) {
	m := e.m
	var c Cursor
	keys, values := make([]byte, e.batch*m.keySize), make([]byte, e.batch*m.elemSize)
	fetch := m.LookupBatch
	if e.drain {
		fetch = m.LookupAndDeleteBatch
	}
	for !c.Done() {
		n, err := fetch(&c, keys, values, 0)
		if errors.Is(err, ErrSize) && len(keys)/m.keySize < int(m.maxEntries) {
			// A bucket with more entries than fit.
			keys, values = make([]byte, 2*len(keys)), make([]byte, 2*len(values))
			continue
		}
		if err != nil && !c.started && noBatch(err) {
			if m.isIndexed() {
				e.indices(yield)
			} else {
				e.keys(yield)
			}
			return
		}
		if err != nil {
			e.err = err
			return
		}
		for i := range n {
			if !yield(keys[i*m.keySize:(i+1)*m.keySize:(i+1)*m.keySize], values[i*m.elemSize:(i+1)*m.elemSize:(i+1)*m.elemSize]) {
				return
			}
		}
	}
}

// indices walks an array. Empty slots of arrays of descriptors are passed over.
func (e *Entries) indices(yield func(key, value []byte) bool) {
	key, value := make([]byte, 4), make([]byte, e.m.elemSize)
	for i := range e.m.maxEntries {
		nativeEndian.PutUint32(key, i)
		if err := e.fetch(key, value); errors.Is(err, ErrNotExist) {
			continue
		} else if err != nil {
			e.err = err
			return
		}
		if !yield(key, value) {
			return
		}
	}
}

// keys walks from key to key. The next key is fetched before this one is
// delivered, so that the loop may delete it. If somebody else deletes it, the
// kernel begins again with the first: keys that were seen are passed over.
func (e *Entries) keys(yield func(key, value []byte) bool) {
	m := e.m
	if m.keySize == 0 {
		e.err = &OpError{Op: "iterate over", Map: m.name, Err: ErrMapType}
		return
	}
	seen := map[string]bool{}
	key, next, value := make([]byte, m.keySize), make([]byte, m.keySize), make([]byte, m.elemSize)
	err := m.Next(nil, key)
	// Each restart needs a deletion by somebody else; a walk that is disturbed
	// all the time gives up rather than going on for ever.
	for steps := uint64(0); err == nil; steps++ {
		if steps > 64*(uint64(m.maxEntries)+1024) {
			e.err = &OpError{Op: "iterate over", Map: m.name, Err: ErrLimit, Hint: "its keys change faster than they can be read"}
			return
		}
		err = m.Next(key, next)
		if !seen[string(key)] {
			seen[string(key)] = true
			switch got := e.fetch(key, value); {
			case got == nil:
				if !yield(key, value) {
					return
				}
			case !errors.Is(got, ErrNotExist):
				e.err = got
				return
			}
		}
		key, next = next, key
	}
	if !errors.Is(err, ErrNotExist) {
		e.err = err
	}
}

// fetch reads one entry, and removes it in a Drain.
func (e *Entries) fetch(key, value []byte) error {
	if !e.drain {
		return e.m.LookupInto(key, value, 0)
	}
	err := e.m.LookupAndDelete(key, value, 0)
	if !errors.Is(err, ErrMapType) {
		return err
	}
	if err := e.m.LookupInto(key, value, 0); err != nil {
		return err
	}
	return e.m.Delete(key)
}

// drainQueue empties a queue or a stack.
func (e *Entries) drainQueue(yield func(key, value []byte) bool) {
	value := make([]byte, e.m.elemSize)
	for {
		switch err := e.m.LookupAndDelete(nil, value, 0); {
		case errors.Is(err, ErrNotExist):
			return
		case err != nil:
			e.err = err
			return
		}
		if !yield(nil, value) {
			return
		}
	}
}
