package reloc

// Relocate links every program, decides and applies CO-RE relocations and binds
// references, in this order. The error is about the input as a whole; what
// concerns one program is its Err.
func Relocate(in Input) (*Result, error) {
	x := newIndex(&in)
	r := &Result{}
	var more []Finding
	r.Programs, r.Findings = x.link1()
	r.Kconfig, more = x.bind(r.Programs)
	r.Findings = append(r.Findings, more...)
	return r, nil
}
