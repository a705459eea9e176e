package reloc

// Relocate links every program, decides and applies CO-RE relocations and binds
// references, in this order: Link, CORE, Apply and Bind. The error is about the
// input as a whole; what concerns one program is its Err.
func Relocate(in Input) (*Result, error) {
	x := newIndex(&in)
	r := &Result{}
	var more []Finding
	r.Programs, r.Findings = x.link1()
	r.Decisions, more = x.core()
	r.Findings = append(r.Findings, more...)
	x.apply(r.Programs, r.Decisions)
	r.Kconfig, more = x.bind(r.Programs)
	r.Findings = append(r.Findings, more...)
	r.StructOps = BindStructOps(&in)
	if err := x.account(r); err != nil {
		return nil, err
	}
	return r, nil
}
