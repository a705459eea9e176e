package oracle

import (
	"bytes"
	"errors"
	"slices"

	"github.com/lode-bpf/lode/btf"
	"github.com/lode-bpf/lode/elf"
	"github.com/lode-bpf/lode/insn"
)

// checkBTF holds package btf to its promises on .BTF and .BTF.ext.
func checkBTF(obj []byte, fail func(string, string, ...any)) {
	f, err := elf.Parse(obj)
	if err != nil {
		return
	}
	var s *btf.Spec
	var ext *btf.Ext
	bounded(len(obj), fail, func() { s, ext, err = btf.ParseELF(f) })
	if err != nil {
		if !plain(err.Error()) {
			fail("text", "%q", err)
		}
		return
	}
	for _, x := range s.Findings() {
		if x.Offset >= int64(len(s.Bytes())) {
			fail("place", "a finding outside the data: %+v", x)
		}
	}
	for t := range s.Types() {
		_, _ = s.SizeOf(t.ID())
		_, _ = s.AlignOf(t.ID())
		_, _ = s.Resolve(t.ID())
	}
	copyTypes(s, fail)
	if ext != nil {
		checkExt(ext, fail)
	}
}

// copyTypes writes each type again and compares the listings.
func copyTypes(s *btf.Spec, fail func(string, string, ...any)) {
	var b btf.Builder
	for t := range s.Types() {
		if t.Kind() > btf.KindEnum64 {
			return // described by the file alone; the builder has no such kind
		}
		b.AddType(t, nil)
	}
	raw, err := b.Bytes(s.ByteOrder())
	if err != nil {
		fail("round trip", "%v", err)
		return
	}
	again, err := btf.Parse(raw, nil)
	if err != nil {
		fail("round trip", "what was written is refused: %v", err)
		return
	}
	var x, y bytes.Buffer
	_, _ = s.FormatRaw(&x), again.FormatRaw(&y)
	if !bytes.Equal(x.Bytes(), y.Bytes()) {
		fail("round trip", "the listing of types differs from that of their copy")
	}
}

// checkExt reads every record.
func checkExt(e *btf.Ext, fail func(string, string, ...any)) {
	n := 0
	for _, section := range e.Sections() {
		for range e.Funcs(section) {
			n++
		}
		for range e.Lines(section) {
			n++
		}
		for range e.CORE(section) {
			n++
		}
	}
	if want := e.NumFuncs() + e.NumLines() + e.NumCORE(); n != want {
		fail("conservation", "%d records of .BTF.ext are in sections, of %d", n, want)
	}
}

// checkCode decodes each code section, encodes it again, prints and analyses it.
func checkCode(obj []byte, fail func(string, string, ...any)) {
	f, err := elf.Parse(obj)
	if err != nil {
		return
	}
	total := 0
	for s := range f.Sections() {
		b := s.Data()
		// Sections may share bytes: without this the work were quadratic.
		if total += len(b); s.Flags()&elf.SHF_EXECINSTR == 0 || total > 4*len(obj) {
			continue
		}
		code, err := insn.Decode(b, f.ByteOrder())
		var e *insn.Error
		switch {
		case err == nil:
		case errors.As(err, &e) && len(b)%insn.Size != 0:
			continue
		default:
			fail("place", "section %d: %v", s.Index(), err)
			continue
		}
		if !bytes.Equal(insn.Append(nil, code, f.ByteOrder()), b) {
			fail("round trip", "section %d: decoding and encoding changes the code", s.Index())
		}
		text := insn.Listing{}.Append(nil, &insn.Func{Name: "f", Insns: code})
		if again, err := insn.Assemble(string(text), insn.Verifier); err != nil || !slices.Equal(again, code) {
			fail("round trip", "section %d: the listing assembles to something else: %v", s.Index(), err)
		}
		for e := range insn.Check(code) {
			if e.Index < 0 || e.Index >= len(code) {
				fail("place", "section %d: a problem outside the code: %v", s.Index(), e)
			}
		}
		_, _ = insn.NewGraph(code, nil)
	}
}
