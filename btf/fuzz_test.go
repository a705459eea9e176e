package btf

import (
	"bytes"
	"encoding/binary"
	"os"
	"path/filepath"
	"runtime/metrics"
	"testing"

	"github.com/lode-bpf/lode/elf"
)

// checkAllocated runs f, which reads n bytes, within what hostile input may
// cost. The runtime counts small objects late, so what seems to be too much is
// looked at again.
func checkAllocated(t *testing.T, n int, f func()) {
	t.Helper()
	sample := []metrics.Sample{{Name: "/gc/heap/allocs:bytes"}}
	metrics.Read(sample)
	start := sample[0].Value.Uint64()
	f()
	metrics.Read(sample)
	if most := uint64(8*n + 1<<20); sample[0].Value.Uint64()-start > most {
		if got := allocated(f); got > most {
			t.Errorf("%d bytes allocated for %d", got, n)
		}
	}
}

// seeds are .BTF and .BTF.ext of the small objects of testdata.
func seeds(f *testing.F) (types, exts [][]byte) {
	f.Helper()
	names, err := filepath.Glob("../testdata/*.o")
	if err != nil || len(names) == 0 {
		f.Fatal("no objects: ", err)
	}
	for _, name := range names {
		b, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		file, err := elf.Parse(b)
		if err != nil || len(b) > 40<<10 {
			continue
		}
		data, ok, err := sectionData(file, ".BTF")
		if !ok || err != nil {
			continue
		}
		types = append(types, data)
		if ext, ok, err := sectionData(file, ".BTF.ext"); ok && err == nil {
			exts = append(exts, append(bytes.Clone(data), ext...))
		}
	}
	return types, exts
}

func FuzzBTF(f *testing.F) {
	types, _ := seeds(f)
	for _, b := range types {
		f.Add(b)
	}
	var all Builder
	i := all.AddInt("long int", 4, IntSigned)
	all.AddStruct("s", 8, Member{Name: "a", Type: i, BitSize: 3}, Member{Type: i + 2, BitOffset: 32})
	all.AddUnion("", 4, Member{Name: "u", Type: i}, Member{Name: "v", Type: all.NextID() + 1})
	all.AddArray(i, i, 1)
	all.AddTypeTag("tag", all.AddPtr(2))
	all.AddDeclTag("decl", 2, 1)
	raw, err := all.Bytes(binary.BigEndian)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(raw)
	f.Add(newHeader(blob("\x00i\x00", 7777, kindWord(31, 1), 8888, 1, 2, 3, 1, kindWord(KindInt, 0), 4, 32), layoutOf31...))
	f.Add(blob("\x00S\x00", 1, kindWord(KindStruct, 1), 8, 0, 2, 0, 0, kindWord(KindArray, 0), 0, 1, 1, 2))
	f.Fuzz(func(t *testing.T, b []byte) {
		if len(b) > 1<<20 {
			return
		}
		before := bytes.Clone(b)
		var s *Spec
		var err error
		checkAllocated(t, len(b), func() { s, err = Parse(b, nil) })
		if err != nil {
			_ = err.Error()
			return
		}
		touch(s)
		for _, finding := range s.Findings() {
			if finding.Offset >= int64(len(b)) {
				t.Errorf("finding outside the file: %+v", finding)
			}
		}
		checkPrinters(t, s)
		checkRoundTrip(t, s)
		if !bytes.Equal(before, b) {
			t.Error("the input was changed")
		}
	})
}

// checkPrinters prints everything; that it ends is the test.
func checkPrinters(t *testing.T, s *Spec) {
	t.Helper()
	_ = s.FormatRaw(discard{})
	_ = s.FormatC(discard{}, COptions{})
	_ = s.FormatGo(discard{}, GoOptions{})
	data := make([]byte, 256)
	for id := TypeID(1); int(id) < min(s.NumTypes(), 50); id++ {
		_, _ = s.FormatValue(nil, id, data)
	}
}

// checkRoundTrip copies all types: what is read back must be the same. What
// deduplication leaves, it leaves the next time, too.
func checkRoundTrip(t *testing.T, s *Spec) {
	t.Helper()
	list := func(s *Spec) string {
		var b bytes.Buffer
		_ = s.FormatRaw(&b)
		return b.String()
	}
	var b Builder
	for typ := range s.Types() {
		if !typ.Kind().known() {
			return
		}
		b.AddType(typ, nil)
	}
	raw, err := b.Bytes(s.ByteOrder())
	if err != nil {
		t.Fatal(err)
	}
	copied, err := Parse(raw, nil)
	if err != nil {
		t.Fatal(err)
	}
	if list(s) != list(copied) {
		t.Error("a copy is not equal")
	}
	for _, missing := range []Features{0, 1<<9 - 1} {
		if raw, err = s.Loadable(LoadableOptions{Missing: missing}); err == nil {
			if _, err := Parse(raw, nil); err != nil {
				t.Errorf("Loadable without %v: %v", missing, err)
			}
		}
	}
	once, ids, err := s.Dedup()
	if err != nil {
		t.Fatal(err)
	}
	small, err := Parse(once, nil)
	if err != nil {
		t.Fatal(err)
	}
	for i, id := range ids {
		if u := small.Type(id); !u.Valid() || u.Name() != s.Type(s.first+TypeID(i)).Name() {
			t.Fatalf("type %d became %d, of another name", i+1, id)
		}
	}
}

func FuzzBTFExt(f *testing.F) {
	_, exts := seeds(f)
	for _, b := range exts {
		f.Add(b)
	}
	f.Add(extBlob(32, []uint32{8, 1, 1, 0, 1}, []uint32{16, 1, 1, 0, 1, 5, 7<<10 | 3}, []uint32{16, 1, 1, 8, 3, 8, 0}))
	fixed, err := Parse(blob("\x00xdp\x00tc\x000:1\x00", 1, kindWord(KindStruct, 1), 8, 0, 2, 0, 0, kindWord(KindPtr, 0), 1, 1, kindWord(KindEnum, 0), 4), nil)
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		if len(b) > 1<<20 {
			return
		}
		// The input is .BTF and .BTF.ext one after the other, or the latter
		// alone.
		s, rest := fixed, b
		if h, _, err := parseHeader(b); err == nil {
			if end := uint64(h.len) + uint64(h.strOff) + uint64(h.strLen); end < uint64(len(b)) {
				if own, err := Parse(b[:end:end], nil); err == nil {
					s, rest = own, b[end:]
				}
			}
		}
		before := bytes.Clone(b)
		var e *Ext
		var err error
		checkAllocated(t, len(b), func() { e, err = ParseExt(rest, s) })
		if err != nil {
			_ = err.Error()
			return
		}
		records := 0
		for _, sec := range e.Sections() {
			for _, r := range e.Funcs(sec) {
				records++
				_ = s.Type(r.Type).Name()
			}
			for _, r := range e.Lines(sec) {
				records++
				_, _ = s.String(r.LineOff)
			}
			for _, r := range e.CORE(sec) {
				records++
				access, _ := s.String(r.AccessOff)
				if _, err := ParseAccess(access); err != nil {
					t.Errorf("an access string that was accepted: %v", err)
				}
			}
		}
		if records != e.NumFuncs()+e.NumLines()+e.NumCORE() {
			t.Errorf("%d records, want %d", records, e.NumFuncs()+e.NumLines()+e.NumCORE())
		}
		if raw, err := s.MinCORE(e); err == nil {
			if _, err := Parse(raw, nil); err != nil {
				t.Error(err)
			}
		}
		if !bytes.Equal(before, b) {
			t.Error("the input was changed")
		}
	})
}
