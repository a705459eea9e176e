package btf

import (
	"encoding/binary"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// extBlob is a .BTF.ext with three tables.
func extBlob(hdrLen int, funcs, lines, core []uint32) []byte {
	b := make([]byte, hdrLen)
	binary.LittleEndian.PutUint16(b, magic)
	b[2] = version
	putLE(b[4:], uint32(hdrLen))
	for i, table := range [][]uint32{funcs, lines, core} {
		if at := 8 + 8*i; at+8 <= hdrLen {
			putLE(b[at:], uint32(len(b)-hdrLen))
			putLE(b[at+4:], uint32(4*len(table)))
		}
		for _, w := range table {
			b = binary.LittleEndian.AppendUint32(b, w)
		}
	}
	return b
}

// extStrings is BTF with 20 types and the strings 1 "xdp", 5 "tc", 8 "0:1", 12
// "-1:99", and from 18 on an access string of a million steps.
func extStrings(tb testing.TB) *Spec {
	words := make([]uint32, 0, 3*20)
	for range 20 {
		words = append(words, 0, kindWord(KindPtr, 0), 0)
	}
	return parsed(tb, blob("\x00xdp\x00tc\x000:1\x00-1:99\x00"+strings.Repeat("0:", 1000000)+"0\x00", words...))
}

func TestExt(t *testing.T) {
	s := extStrings(t)
	b := extBlob(32,
		[]uint32{8, 1, 2, 0, 11, 64, 12, 5, 1, 0, 13},
		[]uint32{20, 1, 1, 0, 1, 5, 7<<10 | 3, 999}, // records that are longer than known
		[]uint32{16, 1, 1, 8, 3, 8, 0, 5, 1, 16, 4, 8, 2, 1, 1, 24, 5, 8, 9})
	e, err := ParseExt(b, s)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"xdp", "tc"}, e.Sections()); diff != "" {
		t.Errorf("sections: -want +got:\n%s", diff)
	}
	funcs := map[int]FuncInfo{}
	for n, f := range e.Funcs("xdp") {
		funcs[n] = f
	}
	if diff := cmp.Diff(map[int]FuncInfo{0: {0, 11}, 1: {64, 12}}, funcs); diff != "" {
		t.Errorf("funcs: -want +got:\n%s", diff)
	}
	for n, l := range e.Lines("xdp") {
		if diff := cmp.Diff(LineInfo{0, 1, 5, 7<<10 | 3}, l); diff != "" || n != 0 {
			t.Errorf("line %d: -want +got:\n%s", n, diff)
		}
	}
	// The blocks of one section are joined, and keep their numbers.
	core := map[int]CORERecord{}
	for n, r := range e.CORE("xdp") {
		core[n] = r
	}
	if diff := cmp.Diff(map[int]CORERecord{0: {8, 3, 8, COREFieldByteOffset}, 2: {24, 5, 8, CORETypeSize}}, core); diff != "" {
		t.Errorf("core: -want +got:\n%s", diff)
	}
	if e.NumFuncs() != 3 || e.NumLines() != 1 || e.NumCORE() != 3 {
		t.Errorf("%d, %d, %d records", e.NumFuncs(), e.NumLines(), e.NumCORE())
	}
	for range e.Funcs("none") {
		t.Error("a record of no section")
	}
}

// A header without core_relo is the oldest; a longer one has more to come.
func TestExtHeaders(t *testing.T) {
	s := extStrings(t)
	for _, n := range []int{24, 28, 32, 40} {
		e, err := ParseExt(extBlob(n, []uint32{8, 1, 1, 0, 3}, nil, nil), s)
		if err != nil || e.NumFuncs() != 1 || e.NumCORE() != 0 {
			t.Errorf("header of %d bytes: %v", n, err)
		}
	}
}

func TestExtMalformed(t *testing.T) {
	for _, tt := range []struct {
		name string
		in   []byte
		want error
	}{
		{"X01 func rec_size 0", extBlob(32, []uint32{0, 1, 1, 0, 0}, nil, nil), ErrRange},
		{"X01 func rec_size 4", extBlob(32, []uint32{4, 1, 1, 0, 0}, nil, nil), ErrRange},
		{"X01 func rec_size 9", extBlob(32, []uint32{9, 1, 1, 0, 0}, nil, nil), ErrRange},
		{"X01 line rec_size 12", extBlob(32, nil, []uint32{12, 1, 1, 0, 0, 0}, nil), ErrRange},
		{"X01 core rec_size max", extBlob(32, nil, nil, []uint32{0xfffffffc, 1, 1, 0, 0, 0, 0}), ErrRange},
		{"X02 num_info max", extBlob(32, []uint32{8, 1, 0xffffffff, 0, 0}, nil, nil), ErrTruncated},
		{"X02 num_info one too many", extBlob(32, []uint32{8, 1, 2, 0, 0}, nil, nil), ErrTruncated},
		{"X02 num_info 0", extBlob(32, []uint32{8, 1, 0}, nil, nil), ErrRange},
		{"X02 half a block", extBlob(32, []uint32{8, 1, 1, 0, 0, 1}, nil, nil), ErrTruncated},
		{"X03 func_info past the end", with(extBlob(32, []uint32{8, 1, 1, 0, 0}, nil, nil), 12, 400), ErrTruncated},
		{"X03 func_info_off past the end", with(extBlob(32, []uint32{8, 1, 1, 0, 0}, nil, nil), 8, 0xfffffff0), ErrTruncated},
		{"X03 line_info_off not aligned", with(extBlob(32, []uint32{8, 1, 1, 0, 0}, nil, nil), 16, 2), ErrRange},
		{"X03 tables overlap", with(extBlob(32, []uint32{8, 1, 1, 0, 0}, []uint32{16, 1, 1, 0, 0, 0, 0}, nil), 16, 4), ErrOverlap},
		{"X03 a table of 2 bytes", with(extBlob(32, []uint32{8, 1, 1, 0, 0}, nil, nil), 12, 2), ErrTruncated},
		{"X08 section name past the strings", extBlob(32, []uint32{8, 1 << 24, 1, 0, 0}, nil, nil), ErrName},
		{"hdr_len of 16", with(extBlob(32, nil, nil, nil), 4, 16), ErrRange},
		{"hdr_len max", with(extBlob(32, nil, nil, nil), 4, 0xffffffff), ErrTruncated},
		{"another byte order than .BTF", extBlobSwapped(), ErrUnsupported},
		{"X04 lines that are not sorted, far past any section", extBlob(32, nil, []uint32{16, 1, 2, 0xfffffff8, 0, 0, 0, 8, 0, 0, 0}, nil), nil},
		{"X05 access string of a million steps", extBlob(32, nil, nil, []uint32{16, 1, 1, 8, 1, 18, 0}), ErrLimit},
		{"X06 access string -1:99", extBlob(32, nil, nil, []uint32{16, 1, 1, 8, 1, 12, 0}), ErrRange},
		{"X06 empty access string", extBlob(32, nil, nil, []uint32{16, 1, 1, 8, 1, 0, 0}), ErrRange},
		{"X06 access string past the strings", extBlob(32, nil, nil, []uint32{16, 1, 1, 8, 1, 1 << 24, 0}), ErrName},
		{"X07 insn_off 4", extBlob(32, nil, nil, []uint32{16, 1, 1, 4, 1, 8, 0}), ErrRange},
		{"X07 insn_off 4 of a function", extBlob(32, []uint32{8, 1, 1, 4, 1}, nil, nil), ErrRange},
		{"X07 root type past the types", extBlob(32, nil, nil, []uint32{16, 1, 1, 8, 21, 8, 0}), ErrRange},
		{"X07 function past the types", extBlob(32, []uint32{8, 1, 1, 8, 21}, nil, nil), ErrRange},
		{"X07 kind 99 decodes to itself", extBlob(32, nil, nil, []uint32{16, 1, 1, 8, 1, 8, 99}), nil},
		{"a table without records", extBlob(32, []uint32{8}, nil, nil), nil},
		{"no tables", extBlob(32, nil, nil, nil), nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if _, err := ParseExt(tt.in, extStrings(t)); !errors.Is(err, tt.want) {
				t.Errorf("got %v, want %v", err, tt.want)
			}
		})
	}
}

func extBlobSwapped() []byte {
	b := extBlob(32, nil, nil, nil)
	b[0], b[1] = b[1], b[0]
	putLE(b[4:], 32<<24)
	return b
}

// Very many blocks cost time and memory in proportion.
func TestExtVolume(t *testing.T) {
	const n = 200000
	table := make([]uint32, 1, 1+4*n)
	table[0] = 8
	for i := range uint32(n) {
		table = append(table, 1+i%8, 1, 8*i, 0)
	}
	b := extBlob(32, table, nil, nil)
	s := extStrings(t)
	bounded(t, b, func() {
		e, err := ParseExt(b, s)
		if err != nil {
			t.Fatal(err)
		}
		total := 0
		for _, sec := range append(e.Sections(), "") {
			for range e.Funcs(sec) {
				total++
			}
		}
		if total < n {
			t.Errorf("%d of %d records found", total, n)
		}
	})
}
