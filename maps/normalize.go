package maps

import (
	"math/bits"
	"os"

	"github.com/lode-bpf/lode/sys"
)

// An Env is what of a machine decides how the kernel changes a definition. It
// may describe another machine than this one.
type Env struct {
	CPUs     int // possible processors (sys.PossibleCPUs); 0 is taken as 1
	PageSize int // in bytes; 0 is taken as this machine's
}

// Normalize is the definition as the kernel will report the map that is made
// from it: with the changes that the loader makes before creation, those that
// the kernel makes, and without what belongs to a descriptor or is not kept.
// Compare only normalised definitions with what exists.
//
//	perf event array     max_entries 0 becomes the number of CPUs
//	ring buffers         max_entries rounded up to a power of two of pages
//	LRU, NO_COMMON_LRU   max_entries rounded up to a multiple of the CPUs
//	devmap, devmap_hash  gain BPF_F_RDONLY_PROG
//	every type           lose BPF_F_RDONLY, BPF_F_WRONLY and BPF_F_TOKEN_FD;
//	                     map_extra but for bloom filters and arenas
//	                     keys or values of sizes that the type implies
func Normalize(s *Spec, env Env) Spec {
	n := *s
	beforeCreation(&n, env)
	n.Flags &^= sys.BPF_F_RDONLY | sys.BPF_F_WRONLY | sys.BPF_F_TOKEN_FD
	switch n.Type {
	case sys.MapTypeDevMap, sys.MapTypeDevMapHash:
		n.Flags |= sys.BPF_F_RDONLY_PROG
	case sys.MapTypeLRUHash, sys.MapTypeLRUPerCPUHash:
		if n.Flags&sys.BPF_F_NO_COMMON_LRU != 0 {
			n.MaxEntries = roundToMultiple(n.MaxEntries, env.cpus())
		}
	}
	if n.Type != sys.MapTypeBloomFilter && n.Type != sys.MapTypeArena {
		n.Extra = 0
	}
	if n.Inner != nil {
		inner := Normalize(n.Inner, env)
		n.Inner = &inner
	}
	return n
}

// beforeCreation changes a definition as loaders agree to, before the kernel
// sees it.
func beforeCreation(s *Spec, env Env) {
	switch s.Type {
	case sys.MapTypePerfEventArray:
		if s.MaxEntries == 0 {
			s.MaxEntries = env.cpus()
		}
	case sys.MapTypeRingBuf, sys.MapTypeUserRingBuf:
		s.MaxEntries = roundToPages(s.MaxEntries, env.pageSize())
	}
	if s.KeySize == 0 && hasFDKey(s.Type) {
		s.KeySize = 4
	}
	if s.ValueSize == 0 && hasFDValue(s.Type) {
		s.ValueSize = 4
	}
}

// hasFDKey reports the types whose key the kernel wants to have 4 bytes, which
// authors leave out.
func hasFDKey(t sys.MapType) bool {
	switch t {
	case sys.MapTypePerfEventArray, sys.MapTypeProgArray, sys.MapTypeCgroupArray, sys.MapTypeArrayOfMaps:
		return true
	}
	return false
}

// hasFDValue reports the types whose value is a descriptor of 4 bytes.
func hasFDValue(t sys.MapType) bool {
	return hasFDKey(t) || t == sys.MapTypeHashOfMaps
}

func (e Env) cpus() uint32 { return uint32(max(1, e.CPUs)) }

func (e Env) pageSize() uint32 {
	if e.PageSize > 0 {
		return uint32(e.PageSize)
	}
	return uint32(os.Getpagesize())
}

// roundToPages is the smallest power of two of pages that holds n bytes. 0
// stays 0 and what has no such number in 32 bits stays, too: the kernel says
// what it thinks of these.
func roundToPages(n, page uint32) uint32 {
	if n == 0 {
		return 0
	}
	r := uint64(page) << bits.Len32((n-1)/page)
	if r > 1<<32-1 {
		return n
	}
	return uint32(r)
}

// roundToMultiple rounds up, or down where up does not fit, as the kernel does.
func roundToMultiple(n, of uint32) uint32 {
	rest := n % of
	if rest == 0 {
		return n
	}
	if up := n + (of - rest); up > n {
		return up
	}
	return n - rest
}
