package reloc

import "fmt"

// records lists every relocation record of the input, as if nothing became of
// any. A record's number is its place in the list.
func (x *index) records() []Record {
	out := make([]Record, 0, x.nrec)
	decision := 0
	for i := range x.fns {
		f := &x.fns[i]
		for _, r := range f.Refs {
			out = append(out, Record{Section: r.RelSection, Record: r.Record, Func: f.Name, Index: r.Index, Decision: -1})
		}
		for _, c := range f.CORE {
			out = append(out, Record{CORE: true, Record: c.Record, Func: f.Name, Index: c.Index, Decision: decision})
			decision++
		}
	}
	return out
}

// account finds out what became of each record: what is in a change was
// applied, what an error names was reported. Of a program that was given up,
// the records of the program itself are reported with it. A record of a linked
// function of which nothing became is an error of this package.
func (x *index) account(r *Result) error {
	r.Records = x.records()
	order, starts := x.byFunc(r.Decisions)
	done := make([]bool, len(x.fns))
	for i, p := range r.Programs {
		for _, c := range p.Changes {
			if c.Record >= 0 && r.Records[c.Record].Fate == FateOutside {
				r.Records[c.Record].Fate = FateApplied
			}
		}
		if pe, ok := p.Err.(*ProgramError); ok {
			for _, err := range pe.Errs {
				x.report(r, &x.fns[i], err)
			}
		}
		for _, placed := range p.Funcs {
			e := x.byFn[placed.Func]
			if done[e] {
				continue
			}
			done[e] = true
			for _, err := range x.fns[e].bad {
				x.report(r, &x.fns[e], err)
			}
			for _, d := range order[starts[e]:starts[e+1]] {
				if err := r.Decisions[d].Err; err != nil {
					x.report(r, &x.fns[e], err)
				}
			}
		}
	}
	r.In = len(r.Records)
	for i := range r.Records {
		switch r.Records[i].Fate {
		case FateApplied:
			r.Applied++
		case FateReported:
			r.Reported++
		default:
			r.Outside++
		}
	}
	return x.conserved(r, done)
}

// conserved checks that nothing was dropped of the functions that were linked.
func (x *index) conserved(r *Result, linked []bool) error {
	for e := range x.fns {
		f := &x.fns[e]
		if !linked[e] {
			continue
		}
		for n := f.rec; n < f.rec+len(f.Refs)+len(f.CORE); n++ {
			if r.Records[n].Fate == FateOutside {
				return fmt.Errorf("reloc: nothing became of relocation record %d, of instruction %d of %q", n, r.Records[n].Index, f.Name)
			}
		}
	}
	return nil
}

// report notes an error of a program with the record that it is about.
func (x *index) report(r *Result, f *fn, err error) {
	mark := func(n int) {
		if n >= 0 {
			r.Records[n].Fate, r.Records[n].Err = FateReported, err
		}
	}
	switch e := err.(type) {
	case *RefError:
		mark(e.Record)
	case *CycleError:
		mark(e.Record)
	case *COREError:
		mark(e.Decision.number - 1)
	case *LimitError:
		for n := f.rec; n < f.rec+len(f.Refs)+len(f.CORE); n++ {
			mark(n)
		}
	}
}
