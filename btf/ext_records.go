package btf

import (
	"bytes"
	"iter"
	"sort"
	"strconv"
	"strings"
)

// badRecord says what is wrong with a record: which word, and how.
type badRecord struct {
	at     int
	field  string
	kind   ErrorKind
	detail string
}

// checkRecord checks what a record says by itself: its instruction begins
// where one can, its type and its access string are there. Whether there is
// such an instruction is not known here.
func (e *Ext) checkRecord(part, at int) badRecord {
	b := e.raw[at:]
	if off := ld32(b, e.be); off%8 != 0 {
		return badRecord{0, "insn_off", Range, "instructions have 8 bytes"}
	}
	if part == partLines {
		return badRecord{}
	}
	if id := ld32(b[4:], e.be); int64(id) >= int64(e.strs.NumTypes()) {
		return badRecord{4, "type_id", Range, "no such type"}
	}
	if part == partFuncs {
		return badRecord{}
	}
	s, ok := e.strs.stringAt(ld32(b[8:], e.be))
	if !ok {
		return badRecord{8, "access_str_off", Name, "not in the strings of .BTF"}
	}
	n := bytes.IndexByte(s[:min(len(s), maxAccessLen+1)], 0)
	if n < 0 {
		return badRecord{8, "access_str_off", Limit, "an access string of more than " + strconv.Itoa(maxAccess) + " steps"}
	}
	if kind, detail := checkAccess(cstring(s, 0)); kind != 0 {
		return badRecord{8, "access_str_off", kind, detail}
	}
	return badRecord{}
}

// Access strings have at most this many steps, as in libbpf
// (BPF_CORE_SPEC_MAX_LEN), of at most ten digits and a colon.
const (
	maxAccess    = 64
	maxAccessLen = 11 * maxAccess
)

// checkAccess says what is wrong with an access string.
func checkAccess(access string) (ErrorKind, string) {
	steps := 0
	for rest, more := access, true; more; steps++ {
		var part string
		part, rest, more = strings.Cut(rest, ":")
		n, err := strconv.ParseUint(part, 10, 31)
		switch {
		case len(part) > 10 || err != nil && n == 0: // it is no number
			return Range, "want numbers separated by colons"
		case steps == maxAccess:
			return Limit, "more than " + strconv.Itoa(maxAccess) + " steps"
		case err != nil:
			return Range, "a step above " + strconv.FormatUint(n, 10)
		}
	}
	return 0, ""
}

// ParseAccess reads the access string of a CO-RE record: numbers separated by
// colons, such as "0:1:2", at most 64 of them.
func ParseAccess(access string) ([]int, error) {
	if kind, detail := checkAccess(access); kind != 0 {
		if len(access) > 40 {
			access = access[:40] + "..."
		}
		return nil, &FormatError{Part: "access string " + strconv.Quote(access), Index: -1, Offset: -1, Kind: kind, Detail: detail}
	}
	steps := make([]int, 0, 8)
	for rest, more := access, true; more; {
		var part string
		part, rest, more = strings.Cut(rest, ":")
		n, _ := strconv.Atoi(part) // checked above
		steps = append(steps, n)
	}
	return steps, nil
}

// Funcs are the function records of a section, in the order of the file, with
// their number in the whole file.
func (e *Ext) Funcs(section string) iter.Seq2[int, FuncInfo] {
	return func(yield func(int, FuncInfo) bool) {
		e.each(partFuncs, section, func(n int, b []byte) bool {
			return yield(n, FuncInfo{Off: ld32(b, e.be), Type: TypeID(ld32(b[4:], e.be))})
		})
	}
}

// Lines are the line records of a section.
func (e *Ext) Lines(section string) iter.Seq2[int, LineInfo] {
	return func(yield func(int, LineInfo) bool) {
		e.each(partLines, section, func(n int, b []byte) bool {
			return yield(n, LineInfo{Off: ld32(b, e.be), FileOff: ld32(b[4:], e.be), LineOff: ld32(b[8:], e.be), LineCol: ld32(b[12:], e.be)})
		})
	}
}

// CORE are the CO-RE relocation records of a section.
func (e *Ext) CORE(section string) iter.Seq2[int, CORERecord] {
	return func(yield func(int, CORERecord) bool) {
		e.each(partCORE, section, func(n int, b []byte) bool {
			return yield(n, CORERecord{Off: ld32(b, e.be), Type: TypeID(ld32(b[4:], e.be)), AccessOff: ld32(b[8:], e.be), Kind: COREKind(ld32(b[12:], e.be))})
		})
	}
}

// NumFuncs, NumLines and NumCORE are the number of records in the whole file.
func (e *Ext) NumFuncs() int { return e.parts[partFuncs].records }

// NumLines is the number of line records in the whole file.
func (e *Ext) NumLines() int { return e.parts[partLines].records }

// NumCORE is the number of CO-RE records in the whole file.
func (e *Ext) NumCORE() int { return e.parts[partCORE].records }

// Sections are the names of the sections that have records, in the order of
// their first appearance.
func (e *Ext) Sections() []string {
	var firsts []extBlock
	for i := range e.parts {
		blocks := e.parts[i].blocks
		for j, b := range blocks {
			if j == 0 || blocks[j-1].section != b.section {
				firsts = append(firsts, b)
			}
		}
	}
	sort.SliceStable(firsts, func(i, j int) bool { return firsts[i].at < firsts[j].at })
	names := make([]string, 0, len(firsts))
	seen := make(map[string]bool, len(firsts))
	for _, b := range firsts {
		if !seen[b.section] {
			seen[b.section] = true
			names = append(names, b.section)
		}
	}
	return names
}

// Bytes is the input of ParseExt. It must not be changed.
func (e *Ext) Bytes() []byte { return e.raw }
