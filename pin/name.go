package pin

import (
	"github.com/lode-bpf/lode/conf"
)

// CheckName reports whether a name can be a path element in bpffs: letters,
// digits, '_' and '-', the first not '-', at most 128 bytes. The error is a
// *NameError.
func CheckName(name string) error { return conf.CheckName(name) }

// A NameError is a name that cannot be pinned, with the offending byte.
type NameError = conf.NameError

// EncodeInternal is the name in bpffs of an internal map, such as
// "counter.rodata": '@' stands for '.'. DecodeInternal reverses it.
func EncodeInternal(name string) (string, error) { return conf.EncodeInternal(name) }

// DecodeInternal is the name of the internal map that is pinned as element; ok
// is false if it is not the name of one.
func DecodeInternal(element string) (name string, ok bool) { return conf.DecodeInternal(element) }
