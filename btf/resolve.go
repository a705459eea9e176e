package btf

import (
	"math"
	"strconv"
)

// A TypeError says that a question about a type has no answer.
type TypeError struct {
	Op     string // "resolve", "size", "align"
	ID     TypeID // the type that was asked about
	At     TypeID // the type that is in the way
	Kind   ErrorKind
	Detail string
}

// Error is one line.
func (e *TypeError) Error() string {
	s := "btf: " + e.Op + " of type " + strconv.Itoa(int(e.ID))
	if e.At != e.ID {
		s += ": type " + strconv.Itoa(int(e.At))
	}
	s += ": " + e.Kind.String()
	if e.Detail != "" {
		s += " (" + e.Detail + ")"
	}
	return s
}

// Is makes errors.Is(err, ErrLoop) and its siblings work.
func (e *TypeError) Is(target error) bool {
	return e.Kind != 0 && int(e.Kind) < len(sentinels) && sentinels[e.Kind] == target
}

// Resolve follows typedefs, qualifiers and type tags to the type behind them.
// A chain of more than 64 is an error: [ErrLoop] if it is seen to end in a
// circle, [ErrLimit] otherwise.
func (s *Spec) Resolve(id TypeID) (Type, error) {
	t := s.Type(id)
	for n := 0; t.Kind().modifier(); n++ {
		if n == maxChain {
			return Type{}, s.chainError(id)
		}
		t = s.Type(t.Elem())
	}
	if !t.Valid() {
		return Type{}, &TypeError{Op: "resolve", ID: id, At: id, Kind: Range, Detail: "no such type"}
	}
	return t, nil
}

// chainError tells a circle from a long chain: a circle comes back to one of
// its members, which two walkers of different pace find (Floyd). They do not go
// far, so that asking about each type of a chain of a million ends soon.
func (s *Spec) chainError(id TypeID) error {
	next := func(id TypeID) TypeID {
		if t := s.Type(id); t.Kind().modifier() {
			return t.Elem()
		}
		return 0
	}
	slow, fast := id, next(id)
	for n := 0; n < 2*maxChain && fast != 0 && slow != fast; n++ {
		slow, fast = next(slow), next(next(fast))
	}
	if fast != 0 && slow == fast {
		return &TypeError{Op: "resolve", ID: id, At: fast, Kind: Loop, Detail: "a typedef or qualifier of itself"}
	}
	return &TypeError{Op: "resolve", ID: id, At: id, Kind: Limit, Detail: "more than " + strconv.Itoa(maxChain) + " typedefs and qualifiers"}
}

// SizeOf is the size of a value of the type in bytes. Void, functions and
// forward declarations have none and are errors, as are more than 64 typedefs,
// qualifiers and arrays around one another.
func (s *Spec) SizeOf(id TypeID) (uint64, error) {
	n := uint64(1)
	t := s.Type(id)
	for depth := 0; ; depth++ {
		if depth > maxChain {
			return 0, &TypeError{Op: "size", ID: id, At: t.id, Kind: Limit, Detail: "more than " + strconv.Itoa(maxChain) + " typedefs, qualifiers and arrays"}
		}
		var size uint64
		switch t.Kind() {
		case KindInt, KindStruct, KindUnion, KindEnum, KindEnum64, KindFloat, KindDatasec:
			size = uint64(t.Size())
		case KindPtr:
			size = uint64(s.ptrSize)
		case KindArray:
			k := uint64(t.Nelems())
			if k != 0 && n > math.MaxUint64/k {
				return 0, &TypeError{Op: "size", ID: id, At: t.id, Kind: Range, Detail: "the size does not fit in 64 bits"}
			}
			n *= k
			t = s.Type(t.Elem())
			continue
		case KindTypedef, KindVolatile, KindConst, KindRestrict, KindTypeTag, KindVar:
			t = s.Type(t.Elem())
			continue
		default:
			return 0, noValue("size", id, t)
		}
		if size != 0 && n > math.MaxUint64/size {
			return 0, &TypeError{Op: "size", ID: id, At: t.id, Kind: Range, Detail: "the size does not fit in 64 bits"}
		}
		return n * size, nil
	}
}

// noValue is the error for a type that has no values.
func noValue(op string, id TypeID, t Type) error {
	if !t.Valid() {
		return &TypeError{Op: op, ID: id, At: id, Kind: Range, Detail: "no such type"}
	}
	if t.id == 0 {
		return &TypeError{Op: op, ID: id, At: 0, Kind: Unsupported, Detail: "void"}
	}
	return &TypeError{Op: op, ID: id, At: t.id, Kind: Unsupported, Detail: "a " + t.Kind().String() + " has no size"}
}
