package pin

import "github.com/lode-bpf/lode/conf"

// MaxName is how many bytes a path element may have.
const MaxName = conf.MaxName

// A NameError says why a name cannot be a path element, and at which byte.
type NameError = conf.NameError

// CheckName refuses, with a *NameError, every name but
//
//	^[A-Za-z0-9_][A-Za-z0-9_-]{0,127}$
//
// It is the check for names from an object file.
func CheckName(s string) error { return conf.CheckName(s) }

// CheckElement accepts what CheckName accepts and what EncodeInternal returns.
// It is the check for path elements that have been decided.
func CheckElement(s string) error { return conf.CheckElement(s) }

// EncodeInternal turns the name of an internal map, "counter.rodata", into a
// path element, "counter@rodata", that no other name can have. conf.Config.Decide
// does so itself.
func EncodeInternal(name string) (string, error) { return conf.EncodeInternal(name) }

// DecodeInternal is the inverse of EncodeInternal; ok is false for any other
// path element.
func DecodeInternal(element string) (name string, ok bool) { return conf.DecodeInternal(element) }
