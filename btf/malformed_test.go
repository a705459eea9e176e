package btf

import (
	"encoding/binary"
	"errors"
	"runtime"
	"strings"
	"testing"
)

// blob is BTF from parts, in little endian, without any checks.
func blob(strs string, words ...uint32) []byte {
	b := make([]byte, headerLen, headerLen+4*len(words)+len(strs))
	binary.LittleEndian.PutUint16(b, magic)
	b[2] = version
	putLE(b[4:], headerLen)
	putLE(b[12:], uint32(4*len(words)))
	putLE(b[16:], uint32(4*len(words)))
	putLE(b[20:], uint32(len(strs)))
	for _, w := range words {
		b = binary.LittleEndian.AppendUint32(b, w)
	}
	return append(b, strs...)
}

// with changes one word.
func with(b []byte, at int, v uint32) []byte {
	putLE(b[at:], v)
	return b
}

// newHeader is a header of 32 bytes with a layout section, which describes
// the kinds 0 to n-1.
func newHeader(b []byte, layout ...byte) []byte {
	typeLen := le32(b[12:])
	out := append([]byte(nil), b[:headerLen]...)
	out = binary.LittleEndian.AppendUint32(out, typeLen)
	out = binary.LittleEndian.AppendUint32(out, uint32(len(layout)))
	putLE(out[4:], headerLenNew)
	putLE(out[16:], typeLen+uint32(len(layout)))
	out = append(out, b[headerLen:headerLen+int(typeLen)]...)
	out = append(out, layout...)
	return append(out, b[headerLen+int(typeLen):]...)
}

func kindWord(k Kind, vlen uint32) uint32 { return uint32(k)<<24 | vlen }

// layoutOf31 describes the kind 31 only: four more bytes, and eight for each
// element.
var layoutOf31 = append(make([]byte, 31*layoutSize), 4, 8, 0, 0)

// Every class of malformed BTF has its verdict. The error names the place.
func TestMalformed(t *testing.T) {
	intType := []uint32{1, kindWord(KindInt, 0), 4, 32}
	with16 := func(k Kind, vlen uint32, more ...uint32) []uint32 {
		return append([]uint32{0, kindWord(k, vlen), 4}, more...)
	}
	for _, tt := range []struct {
		name string
		in   []byte
		want error // nil: must be accepted
	}{
		{"B01 hdr_len 0", with(blob("\x00"), 4, 0), ErrRange},
		{"B01 hdr_len of an older header", with(blob("\x00"), 4, 20), ErrRange},
		{"B01 hdr_len max", with(blob("\x00"), 4, 0xffffffff), ErrTruncated},
		{"B02 type_off + type_len wraps", with(with(blob("\x00"), 8, 0xfffffffc), 12, 16), ErrTruncated},
		{"B02 type_len past the end", with(blob("\x00", intType...), 12, 64), ErrTruncated},
		{"B02 type_off not aligned", with(blob("\x00\x00\x00", intType...), 8, 1), ErrRange},
		{"B03 sections overlap", with(blob("\x00i\x00", intType...), 16, 8), ErrOverlap},
		{"B04 str_len max", with(blob("\x00"), 20, 0xffffffff), ErrTruncated},
		{"B05 vlen of a STRUCT past the end", blob("\x00", with16(KindStruct, 1)...), ErrTruncated},
		{"B05 vlen of a STRUCT max", blob("\x00", with16(KindStruct, 0xffffff, 0, 0, 0)...), ErrTruncated},
		{"B05 vlen of a UNION past the end", blob("\x00", with16(KindUnion, 2, 0, 0, 0)...), ErrTruncated},
		{"B05 vlen of an ENUM past the end", blob("\x00", with16(KindEnum, 2, 0, 0)...), ErrTruncated},
		{"B05 vlen of a FUNC_PROTO past the end", blob("\x00", with16(KindFuncProto, 3, 0, 0)...), ErrTruncated},
		{"B13 vlen of a DATASEC past the end", blob("\x00", with16(KindDatasec, 1)...), ErrTruncated},
		{"B13 vlen of an ENUM64 past the end", blob("\x00", with16(KindEnum64, 1, 0, 0)...), ErrTruncated},
		{"B05 half a type", blob("\x00", 0, kindWord(KindPtr, 0)), ErrTruncated},
		{"B05 an INT without its word", blob("\x00", 0, kindWord(KindInt, 0), 4), ErrTruncated},
		{"B06 name_off out of range", blob("\x00i\x00", 3, kindWord(KindInt, 0), 4, 32), ErrName},
		{"B06 name_off of a member out of range", blob("\x00i\x00", with16(KindStruct, 1, 9, 0, 0)...), ErrName},
		{"B06 name_off of an enumerator out of range", blob("\x00i\x00", with16(KindEnum, 1, 9, 0)...), ErrName},
		{"B06 name_off of a parameter out of range", blob("\x00i\x00", 0, kindWord(KindFuncProto, 1), 0, 9, 0), ErrName},
		{"B06 a name without a string section", blob("", intType...), ErrName},
		{"B07 no leading NUL", blob("i\x00", intType...), ErrName},
		{"B07 no final NUL", blob("\x00i", intType...), ErrName},
		{"B12 INT with 255 bits from bit 200", blob("\x00i\x00", 1, kindWord(KindInt, 0), 4, 200<<16|255), ErrRange},
		{"B12 INT with more bits than it has", blob("\x00i\x00", 1, kindWord(KindInt, 0), 4, 33), ErrRange},
		{"an ENUM with a value and without a size", blob("\x00i\x00", 1, kindWord(KindEnum, 1), 0, 1, 0), ErrRange},
		{"an ENUM64 without a size", blob("\x00i\x00", 1, kindWord(KindEnum64, 0), 0), ErrRange},
		{"B14 component_idx -2", blob("\x00i\x00", append(intType, 1, kindWord(KindDeclTag, 0), 1, 0xfffffffe)...), ErrRange},
		{"B14 component_idx of an INT", blob("\x00i\x00", append(intType, 1, kindWord(KindDeclTag, 0), 1, 0)...), ErrRange},
		{"B14 component_idx past the members", blob("\x00i\x00", append(with16(KindStruct, 1, 0, 0, 0), 1, kindWord(KindDeclTag, 0), 1, 1)...), ErrRange},
		{"B14 component_idx past the parameters", blob("\x00i\x00", 0, kindWord(KindFuncProto, 1), 0, 0, 0, 1, kindWord(KindFunc, 0), 1, 1, kindWord(KindDeclTag, 0), 2, 1), ErrRange},
		{"B14 component_idx -1", blob("\x00i\x00", append(intType, 1, kindWord(KindDeclTag, 0), 1, 0xffffffff)...), nil},
		{"B15 type id out of range", blob("\x00", 0, kindWord(KindPtr, 0), 2), ErrRange},
		{"B15 type id max", blob("\x00", 0, kindWord(KindPtr, 0), 0xffffffff), ErrRange},
		{"B15 type id of a member out of range", blob("\x00", with16(KindStruct, 1, 0, 5, 0)...), ErrRange},
		{"B15 type id of a parameter out of range", blob("\x00", 0, kindWord(KindFuncProto, 1), 0, 0, 5), ErrRange},
		{"B15 type id of a variable out of range", blob("\x00", with16(KindDatasec, 1, 5, 0, 0)...), ErrRange},
		{"B15 index type out of range", blob("\x00", 0, kindWord(KindArray, 0), 0, 0, 5, 1), ErrRange},
		{"B15 element type out of range", blob("\x00", 0, kindWord(KindArray, 0), 0, 5, 0, 1), ErrRange},
		{"B18 kind 31 without layout", blob("\x00", 0, kindWord(31, 0), 0, 0), ErrUnsupported},
		{"B18 kind 0", blob("\x00", 0, 0, 0), ErrUnsupported},
		{"B18 kind 127 past the layout", newHeader(blob("\x00", 0, kindWord(127, 0), 0, 0), layoutOf31...), ErrUnsupported},
		{"B18 kind 31, layout too long for it", newHeader(blob("\x00", 0, kindWord(31, 9), 0, 0), layoutOf31...), ErrTruncated},
		{"B18 layout that is not aligned", newHeader(blob("\x00", 0, kindWord(1, 0), 4, 8, 0, kindWord(30, 0), 0, 0), append(make([]byte, 30*layoutSize), 3, 0, 0, 0)...), ErrRange},
		{"B18 layout past the end", with(newHeader(blob("\x00"), layoutOf31...), 28, 0xfffffff0), ErrTruncated},
		{"B18 layout over the types", with(newHeader(blob("\x00i\x00", intType...), layoutOf31...), 24, 0), ErrOverlap},
		{"B19 header of 32 bytes, no layout", newHeader(blob("\x00i\x00", intType...)), nil},
		{"B19 header of 32 bytes with layout, unknown kind skipped", newHeader(blob("\x00i\x00", append([]uint32{7777, kindWord(31, 1), 8888, 1, 2, 3}, intType...)...), layoutOf31...), nil},
		{"B20 nothing but a header", blob(""), nil},
		{"B20 nothing but a header and an empty string", blob("\x00"), nil},
		{"B20 nothing but a header of 32 bytes", newHeader(blob("")), nil},
		{"magic", with(blob("\x00"), 0, 0x1234567), ErrUnsupported},
		{"version 2", with(blob("\x00"), 0, magic|2<<16), ErrUnsupported},
		{"flags", with(blob("\x00"), 0, magic|1<<16|1<<24), ErrUnsupported},
		{"vlen of 24 bits", blob("\x00", append([]uint32{0, kindWord(KindFuncProto, 0x10001), 0}, make([]uint32, 2*0x10001)...)...), nil},
		{"a member behind the end", blob("\x00", with16(KindStruct, 1, 0, 0, 33)...), ErrRange},
		{"an ENUM of 3 bytes", blob("\x00", 0, kindWord(KindEnum, 0), 3), ErrRange},
		{"a FLOAT of 7 bytes", blob("\x00", 0, kindWord(KindFloat, 0), 7), ErrRange},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s, err := Parse(tt.in, nil)
			if !errors.Is(err, tt.want) {
				t.Fatalf("got %v, want %v", err, tt.want)
			}
			var fe *FormatError
			if tt.want != nil && !errors.As(err, &fe) {
				t.Errorf("%T is not a *FormatError", err)
			}
			if err == nil {
				touch(s)
			}
		})
	}
}

// touch calls every accessor of every type.
func touch(s *Spec) {
	for id := TypeID(0); int(id) <= s.NumTypes(); id++ {
		t := s.Type(id)
		_ = t.AppendRaw(nil)
		_, _, _, _ = t.Size(), t.Linkage(), t.ComponentIndex(), t.Signed()
		_, _ = s.Find(t.Name(), t.Kind())
		_, _ = s.Resolve(id)
		_, _ = s.SizeOf(id)
		_, _ = s.AlignOf(id)
	}
}

// A file cut anywhere is an error or, rarely, a shorter file; never a panic.
func TestMalformedCut(t *testing.T) {
	var b Builder
	i := b.AddInt("int", 4, IntSigned)
	b.AddStruct("s", 4, Member{Name: "m", Type: i})
	raw, err := b.Bytes(binary.LittleEndian)
	if err != nil {
		t.Fatal(err)
	}
	for n := range raw {
		if s, err := Parse(raw[:n:n], nil); err == nil {
			t.Errorf("%d of %d bytes: accepted, %d types", n, len(raw), s.NumTypes())
		}
	}
}

// allocated is how many bytes f allocates.
func allocated(f func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}

// bounded runs a parse of b within what hostile input may cost.
func bounded(t *testing.T, b []byte, f func()) {
	t.Helper()
	if n, most := allocated(f), uint64(8*len(b)+1<<20); n > most {
		t.Errorf("%d bytes allocated for an input of %d, want at most %d", n, len(b), most)
	}
}

// Inputs that are large rather than wrong end in an error or a value, in
// bounded memory and without deep recursion.
func TestMalformedVolume(t *testing.T) {
	const million = 1000000
	chain := func(k Kind, n int, last uint32) []byte {
		words := make([]uint32, 0, 3*n)
		for i := 1; i < n; i++ {
			words = append(words, 0, kindWord(k, 0), uint32(i+1))
		}
		return blob("\x00", append(words, 0, kindWord(k, 0), last)...)
	}
	parse := func(t *testing.T, b []byte) *Spec {
		t.Helper()
		var s *Spec
		bounded(t, b, func() {
			var err error
			if s, err = Parse(b, nil); err != nil {
				t.Fatal(err)
			}
		})
		return s
	}
	check := func(t *testing.T, what string, err, want error) {
		t.Helper()
		if !errors.Is(err, want) {
			t.Errorf("%s: %v, want %v", what, err, want)
		}
	}
	// walk asks everything that follows references.
	walk := func(t *testing.T, s *Spec, id TypeID, size, align error) {
		t.Helper()
		_, err := s.SizeOf(id)
		check(t, "SizeOf", err, size)
		_, err = s.AlignOf(id)
		check(t, "AlignOf", err, align)
		_ = s.FormatC(discard{}, COptions{Types: []TypeID{id}})
		_ = s.FormatGo(discard{}, GoOptions{Types: []TypeID{id}})
		_, _ = s.FormatValue(nil, id, make([]byte, 64))
		_, _, _ = s.Dedup()
		_, _ = s.Lookup("S.x.y")
	}
	t.Run("B08 struct that contains itself through an array", func(t *testing.T) {
		s := parse(t, blob("\x00S\x00", 1, kindWord(KindStruct, 1), 8, 0, 2, 0, 0, kindWord(KindArray, 0), 0, 1, 1, 2))
		walk(t, s, 1, nil, ErrLoop)
		check(t, "FormatC", s.FormatC(discard{}, COptions{}), ErrLoop)
		check(t, "FormatGo", s.FormatGo(discard{}, GoOptions{}), ErrLoop)
	})
	t.Run("B16 100,000 structs nested by value", func(t *testing.T) {
		const n = 100000
		words := make([]uint32, 0, 6*n)
		for i := 1; i < n; i++ {
			words = append(words, 0, kindWord(KindStruct, 1), 4, 0, uint32(i+1), 0)
		}
		s := parse(t, blob("\x00i\x00", append(words, 1, kindWord(KindInt, 0), 4, 32)...))
		walk(t, s, 1, nil, ErrLimit)
	})
	t.Run("B16 100,000 structs with names nested by value", func(t *testing.T) {
		const n = 100000
		words := make([]uint32, 0, 6*n)
		for i := 1; i < n; i++ {
			words = append(words, 1, kindWord(KindStruct, 1), 4, 0, uint32(i+1), 0)
		}
		s := parse(t, blob("\x00i\x00", append(words, 1, kindWord(KindInt, 0), 4, 32)...))
		walk(t, s, 1, nil, ErrLimit)
	})
	t.Run("B17 each struct contains the next one twice", func(t *testing.T) {
		const n = 40
		var words []uint32
		for i := uint32(1); i < n; i++ {
			words = append(words, 0, kindWord(KindStruct, 2), 1<<16, 0, i+1, 0, 0, i+1, 8)
		}
		s := parse(t, blob("\x00i\x00", append(words, 1, kindWord(KindInt, 0), 1, 8)...))
		walk(t, s, n-25, nil, nil)
		walk(t, s, 1, nil, ErrLimit)
	})
	t.Run("B17 each union contains the next one twice", func(t *testing.T) {
		const n = 30
		var words []uint32
		for i := uint32(1); i < n; i++ {
			words = append(words, 0, kindWord(KindUnion, 2), 4, 0, i+1, 0, 0, i+1, 0)
		}
		s := parse(t, blob("\x00i\x00t\x00", append(words, 1, kindWord(KindInt, 0), 4, 32, 3, kindWord(KindTypedef, 0), 1)...))
		walk(t, s, 1, nil, nil)
		_, err := s.FormatValue(nil, 1, make([]byte, 4))
		check(t, "FormatValue", err, ErrLimit)
		check(t, "FormatC", s.FormatC(discard{}, COptions{}), ErrLimit)
	})
	t.Run("B09 typedef loop", func(t *testing.T) {
		s := parse(t, blob("\x00t\x00", 1, kindWord(KindTypedef, 0), 2, 1, kindWord(KindTypedef, 0), 1))
		_, err := s.Resolve(1)
		check(t, "Resolve", err, ErrLoop)
		walk(t, s, 1, ErrLimit, ErrLimit)
		check(t, "FormatC", s.FormatC(discard{}, COptions{}), ErrLoop)
	})
	t.Run("B09 const of itself", func(t *testing.T) {
		s := parse(t, blob("\x00", 0, kindWord(KindConst, 0), 1))
		_, err := s.Resolve(1)
		check(t, "Resolve", err, ErrLoop)
		walk(t, s, 1, ErrLimit, ErrLimit)
	})
	for _, k := range []Kind{KindConst, KindTypedef, KindPtr} {
		t.Run("B10 a chain of 1,000,000 "+k.String(), func(t *testing.T) {
			s := parse(t, chain(k, million, 0))
			_, err := s.Resolve(1)
			if k == KindPtr {
				check(t, "Resolve", err, nil)
				walk(t, s, 1, nil, nil)
			} else {
				check(t, "Resolve", err, ErrLimit)
				walk(t, s, 1, ErrLimit, ErrLimit)
			}
		})
	}
	t.Run("B10 a circle of 1,000,000 CONST", func(t *testing.T) {
		s := parse(t, chain(KindConst, million, 1))
		_, err := s.Resolve(1)
		check(t, "Resolve", err, ErrLimit) // to see that it is a circle takes too long
	})
	t.Run("B10 each type of a chain of 1,000,000 CONST", func(t *testing.T) {
		s := parse(t, chain(KindConst, million, 0))
		for typ := range s.Types() { // without a bound for each question, 10^12 steps
			if _, err := s.Resolve(typ.ID()); !errors.Is(err, ErrLimit) && typ.ID() <= million-maxChain {
				t.Fatalf("Resolve(%d): %v", typ.ID(), err)
			}
		}
	})
	t.Run("B09 a circle of 64 CONST", func(t *testing.T) {
		s := parse(t, chain(KindConst, maxChain, 1))
		_, err := s.Resolve(1)
		check(t, "Resolve", err, ErrLoop)
	})
	t.Run("B11 five nested arrays of 2^31", func(t *testing.T) {
		var words []uint32
		for i := uint32(1); i <= 5; i++ {
			words = append(words, 0, kindWord(KindArray, 0), 0, i+1, 6, 1<<31)
		}
		s := parse(t, blob("\x00i\x00", append(words, 1, kindWord(KindInt, 0), 4, 32)...))
		walk(t, s, 1, ErrRange, nil)
	})
	t.Run("B21 200,000 structs of one name", func(t *testing.T) {
		words := make([]uint32, 0, 3*200000)
		for range 200000 {
			words = append(words, 1, kindWord(KindStruct, 0), 0)
		}
		s := parse(t, blob("\x00S\x00", words...))
		n := 0
		for range s.Candidates("S") {
			n++
		}
		if n != 200000 {
			t.Errorf("%d candidates", n)
		}
		if f, ok := s.Find("S"); !ok || f.ID() != 1 {
			t.Errorf("Find = %d, %v", f.ID(), ok)
		}
	})
	t.Run("B22 200,000 types with one name of 1 MiB", func(t *testing.T) {
		words := make([]uint32, 0, 3*200000)
		for range 200000 {
			words = append(words, 1, kindWord(KindFwd, 0), 0)
		}
		b := blob("\x00"+strings.Repeat("n", 1<<20)+"\x00", words...)
		bounded(t, b, func() {
			_, err := Parse(b, nil)
			check(t, "Parse", err, ErrLimit)
		})
	})
	t.Run("B22 200,000 types with suffixes of one name", func(t *testing.T) {
		words := make([]uint32, 0, 3*200000)
		for i := range uint32(200000) {
			words = append(words, 1+i, kindWord(KindFwd, 0), 0)
		}
		b := blob("\x00"+strings.Repeat("n", 200000)+"\x00", words...)
		bounded(t, b, func() {
			_, err := Parse(b, nil)
			check(t, "Parse", err, ErrLimit)
		})
	})
	t.Run("a long string that is no name", func(t *testing.T) {
		parse(t, blob("\x00i\x00"+strings.Repeat("x", 100000)+"\x00", 1, kindWord(KindInt, 0), 4, 32))
	})
	t.Run("more types than there are ids", func(t *testing.T) {
		b := chain(KindPtr, maxTypes+1, 0)
		bounded(t, b, func() {
			_, err := Parse(b, nil)
			check(t, "Parse", err, ErrLimit)
		})
	})
}

type discard struct{}

func (discard) Write(b []byte) (int, error) { return len(b), nil }
