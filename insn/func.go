package insn

// A Func is one function of an object file: its instructions and, beside them,
// what the file says about each. The side tables are sorted by Index, which
// counts slots from the start of the function. Everything is plain data that
// may be edited; Index entries follow the instruction they speak of.
type Func struct {
	Name         string
	Section      string // name of the ELF section that holds the code
	SectionIndex int    // its index in the file
	Offset       int    // first slot of the function within the section
	Bind         uint8  // ELF symbol binding: STB_LOCAL 0, STB_GLOBAL 1, STB_WEAK 2
	Visibility   uint8  // ELF symbol visibility: STV_DEFAULT 0, STV_INTERNAL 1, STV_HIDDEN 2, STV_PROTECTED 3
	TypeID       uint32 // BTF id of the FUNC, 0 if the file has none

	Insns []Instruction
	Refs  []Ref  // what the linker or loader has still to fill in
	Lines []Line // source lines
	CORE  []CORE // CO-RE relocation records
}

// A Ref is one relocation record that applies to an instruction: the
// instruction names something outside itself.
type Ref struct {
	Index  int // slot
	Type   uint32
	Addend int64 // explicit addend of a RELA record; a REL record's is in the instruction
	Symbol Symbol

	// Where the record stands in the file, for messages and for accounting.
	RelSection int // index of the relocation section
	Record     int // number of the record in it
}

// A Symbol is what a Ref points at, as the file's symbol table has it.
type Symbol struct {
	Index       int // number in the symbol table
	Name        string
	Section     int    // section index; 0 (SHN_UNDEF) if undefined here
	SectionName string // empty if undefined or reserved
	Value       uint64 // offset in the section, in bytes
	Size        uint64
	Bind        uint8 // STB_*
	Type        uint8 // STT_*
	Visibility  uint8 // STV_*
}

// A Line says which source line an instruction begins (struct bpf_line_info).
type Line struct {
	Index   int
	FileOff uint32 // file name: offset in the BTF string section
	LineOff uint32 // text of the line: offset in the BTF string section
	LineCol uint32 // line number << 10 | column
}

// Line is the line number in the source file.
func (l Line) Line() uint32 { return l.LineCol >> 10 }

// Column is the column in the line.
func (l Line) Column() uint32 { return l.LineCol & 0x3ff }

// A CORE is one CO-RE relocation record (struct bpf_core_relo).
type CORE struct {
	Index     int
	TypeID    uint32 // root type in the object's own BTF
	AccessOff uint32 // access string: offset in the BTF string section
	Kind      uint32 // enum bpf_core_relo_kind, btf.COREKind
	Record    int    // number of the record in the file's .BTF.ext, for messages and for accounting
}

// Clone is a deep copy.
func (f *Func) Clone() *Func {
	c := *f
	c.Insns = append([]Instruction(nil), f.Insns...)
	c.Refs = append([]Ref(nil), f.Refs...)
	c.Lines = append([]Line(nil), f.Lines...)
	c.CORE = append([]CORE(nil), f.CORE...)
	return &c
}
