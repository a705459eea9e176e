package reloc

import (
	"fmt"
	"sort"
	"strconv"

	"github.com/lode-bpf/lode/btf"
	"github.com/lode-bpf/lode/insn"
)

// maxListed is how many candidates a Decision lists.
const maxListed = 8

type engine struct {
	*index
	m        matcher
	specs    map[specKey]int32
	specList []localSpec
	acc      []accessor
	cands    map[btf.TypeID]int32
	candList []candidates
	slab     []candidate // room for the lists
	memo     map[memoKey]memoValue
	listed   []Candidate
	findings []Finding

	kernel    *btf.Spec
	kernelErr error
	asked     bool // for the kernel's BTF
	modules   []Module
	modAsked  bool

	out     []Decision
	results []result // of each decision
	pos     int32    // of the decision that is being taken
}

type specKey struct {
	id     btf.TypeID
	access uint32
	class  coreClass
}

type memoKey struct {
	id     btf.TypeID
	access uint32
	kind   btf.COREKind
}

// A memoValue is the decision that was taken on the same question, and the
// number of candidates that were left then: with fewer, it is asked again.
type memoValue struct{ decision, left int32 }

// candidates are the target types of one local root type.
type candidates struct {
	list []candidate
	left int // that match everything so far
	err  error
}

type candidate struct {
	spec   *btf.Spec
	typ    btf.Type
	module string
	pruned bool
	by     int

	// Of the search that is going on.
	match match
	value value
}

// A job is one record to be decided: record rec of a function, of which the
// decision stands at pos.
type job struct{ fn, rec, pos int32 }

func (x *index) core() ([]Decision, []Finding) {
	jobs := x.jobs()
	n := len(jobs)
	if n == 0 {
		return nil, nil
	}
	e := &engine{
		index: x, m: matcher{local: x.in.BTF, steps: int64(x.lim.CORESteps)},
		specs: make(map[specKey]int32, n/2), cands: make(map[btf.TypeID]int32), memo: make(map[memoKey]memoValue, n/2),
		out: make([]Decision, n), results: make([]result, n), listed: make([]Candidate, 0, n),
		specList: make([]localSpec, 0, n/2), acc: make([]accessor, 0, n),
	}
	for _, j := range jobs {
		f := &x.fns[j.fn]
		d := &e.out[j.pos]
		d.Func, d.Program, d.Sub = f.Name, int(j.fn), -1
		if p := len(x.in.Programs); int(j.fn) >= p {
			d.Program, d.Sub = -1, int(j.fn)-p
		}
		d.number = f.rec + len(f.Refs) + int(j.rec) + 1
		e.pos = j.pos
		e.decide(f, &f.CORE[j.rec], d)
	}
	x.duplicates(e)
	guards(x, e.out)
	return e.out, e.findings
}

// jobs lists the records by their number in the file: candidates are pruned in
// this order, whatever function a record belongs to. Programs that are not to
// be loaded, which stand among the functions that may be called, come last, so
// that they have no say in what the others get.
func (x *index) jobs() []job {
	n := 0
	for i := range x.fns {
		n += len(x.fns[i].CORE)
	}
	jobs := make([]job, 0, n)
	for i := range x.fns {
		for j := range x.fns[i].CORE {
			jobs = append(jobs, job{int32(i), int32(j), int32(len(jobs))})
		}
	}
	order := func(j job) (last bool, record int) {
		f := &x.fns[j.fn]
		return int(j.fn) >= len(x.in.Programs) && f.Section != ".text", f.CORE[j.rec].Record
	}
	sort.SliceStable(jobs, func(i, j int) bool {
		a, m := order(jobs[i])
		b, n := order(jobs[j])
		return a == b && m < n || !a && b
	})
	return jobs
}

// duplicates refuses all records of an instruction but the first.
func (x *index) duplicates(e *engine) {
	pos := 0
	for i := range x.fns {
		f := &x.fns[i]
		last, seen := -1, map[int]bool(nil)
		for j := range f.CORE {
			at := f.CORE[j].Index
			if at <= last && seen == nil {
				seen = make(map[int]bool, len(f.CORE))
				for _, c := range f.CORE[:j] {
					seen[c.Index] = true
				}
			}
			if seen[at] {
				e.invalid(f, &e.out[pos+j], specError(ErrFormat, "more than one CO-RE record for an instruction"))
			} else if seen != nil {
				seen[at] = true
			}
			last = max(last, at)
		}
		pos += len(f.CORE)
	}
}

// decide decides one record.
func (e *engine) decide(f *fn, r *insn.CORE, d *Decision) {
	d.Index, d.Record, d.Kind = r.Index, r.Record, btf.COREKind(r.Kind)
	if e.in.BTF == nil {
		e.invalid(f, d, specError(ErrFormat, "the object has no BTF"))
		return
	}
	d.Local = e.in.BTF.Type(btf.TypeID(r.TypeID))
	access, ok := e.in.BTF.String(r.AccessOff)
	d.Access = access
	switch {
	case r.Index < 0 || r.Index >= len(f.Insns):
		e.invalid(f, d, specError(ErrRange, "there is no such instruction"))
		return
	case !ok:
		e.invalid(f, d, specError(ErrFormat, "the access string does not exist"))
		return
	}
	d.From[0] = f.Insns[r.Index]
	if d.From[0].Op.IsWide() {
		if r.Index+1 >= len(f.Insns) {
			e.invalid(f, d, specError(ErrFormat, "a wide load without its second slot"))
			return
		}
		d.From[1] = f.Insns[r.Index+1]
	}
	res, err := e.value(r, d)
	if err == nil {
		err = patch(d, res)
	}
	if err != nil {
		e.invalid(f, d, err)
		return
	}
	if d.Outcome != OutcomeValue {
		d.Source = SourceAt(e.in.BTF, f.Func, d.Index)
	}
}

func (e *engine) invalid(f *fn, d *Decision, err error) {
	d.Outcome, d.To = OutcomeInvalid, d.From
	d.Source = SourceAt(e.in.BTF, f.Func, d.Index)
	c := &COREError{Decision: d, Kind: kindOf(err), Detail: err.Error()}
	if _, ok := err.(*specErr); !ok {
		c.Err, c.Detail = err, "types"
	}
	d.Err = c
}

// A result is the values of a relocation, before an instruction is looked at.
type result struct {
	local, target    value
	absent, poison   bool
	resize, noResize bool // the sizes differ, and whether that is not allowed
	sizes            bool // candidates have different sizes
}

// value computes what a record asks for, and notes in d how.
func (e *engine) value(r *insn.CORE, d *Decision) (result, error) {
	class := classOf(d.Kind)
	if class == classUnknown {
		return result{}, specError(ErrUnsupported, "unknown kind "+strconv.FormatUint(uint64(r.Kind), 10))
	}
	sp := e.spec(r, class, d.Access)
	if sp.err != nil {
		return result{}, sp.err
	}
	if class == classLocal {
		v := value{v: uint64(r.TypeID)}
		return result{local: v, target: v}, nil
	}
	if d.Local.Name() == "" {
		return result{}, specError(ErrUnsupported, "the root type has no name")
	}
	c, err := e.candidates(d)
	if err != nil {
		return result{}, err
	}
	key := memoKey{btf.TypeID(r.TypeID), r.AccessOff, d.Kind}
	if m, ok := e.memo[key]; ok && int(m.left) == c.left {
		o := &e.out[m.decision]
		d.Target, d.Module, d.Candidates, d.Considered = o.Target, o.Module, o.Candidates, o.Considered
		return e.results[m.decision], nil
	}
	res, err := e.search(sp, class, c, d)
	if err == nil {
		e.memo[key] = memoValue{e.pos, int32(c.left)}
		e.results[e.pos] = res
	}
	return res, err
}

// spec is the record's access, taken apart once for all records that have it.
func (e *engine) spec(r *insn.CORE, class coreClass, access string) *localSpec {
	key := specKey{btf.TypeID(r.TypeID), r.AccessOff, class}
	i, ok := e.specs[key]
	if !ok {
		var sp localSpec
		sp, e.acc = parseSpec(e.in.BTF, btf.TypeID(r.TypeID), access, class, e.acc)
		i = int32(len(e.specList))
		e.specList = append(e.specList, sp)
		e.specs[key] = i
	}
	return &e.specList[i]
}

// localValue computes a value in the object's terms.
func (e *engine) localValue(sp *localSpec, class coreClass, kind btf.COREKind) (value, error) {
	switch class {
	case classField:
		return fieldValue(e.in.BTF, kind, sp.acc[len(sp.acc)-1], sp.bitOff)
	case classEnum:
		return enumValue(e.in.BTF, kind, sp.acc[0]), nil
	}
	return typeValue(e.in.BTF, kind, sp.root)
}

// search matches every candidate that is left, and drops those that do not
// match if any does.
func (e *engine) search(sp *localSpec, class coreClass, c *candidates, d *Decision) (result, error) {
	var res result
	var err error
	if res.local, err = e.localValue(sp, class, d.Kind); err != nil {
		return res, err
	}
	defer func() { e.list(c, d) }()
	var first *candidate
	for i := range c.list {
		k := &c.list[i]
		if k.pruned {
			continue
		}
		if k.match = e.m.match(sp, class, k.spec, k.typ); k.match.err != nil {
			return res, k.match.err
		}
		if k.match.drop != DropNone {
			continue
		}
		if k.value, err = targetValue(k, class, d.Kind); err != nil {
			return res, err
		}
		switch {
		case first == nil:
			first = k
		case class == classField && k.match.bitOff != first.match.bitOff, k.value.v != first.value.v:
			return res, specError(ErrAmbiguous, fmt.Sprintf("candidates [%d] and [%d] differ", first.typ.ID(), k.typ.ID()))
		case k.value.size != first.value.size:
			res.sizes = true // which concerns only what loads or stores the field
		}
	}
	if first == nil {
		res.absent = true
		res.target, err = absentValue(d.Kind)
		res.poison = err != nil
		return res, nil
	}
	e.prune(c, d)
	d.Target, d.Module = first.typ, first.module
	res.target = first.value
	res.resize = res.local.size != first.value.size
	res.noResize = noResize(e.in.BTF, res.local, first)
	return res, nil
}

func noResize(local *btf.Spec, v value, k *candidate) bool {
	return v.size != k.value.size && !resizable(local, v, k.spec, k.value)
}

func targetValue(k *candidate, class coreClass, kind btf.COREKind) (value, error) {
	switch class {
	case classField:
		return fieldValue(k.spec, kind, k.match.last, k.match.bitOff)
	case classEnum:
		return enumValue(k.spec, kind, k.match.last), nil
	}
	return typeValue(k.spec, kind, k.typ)
}

// list notes the candidates in a decision.
func (e *engine) list(c *candidates, d *Decision) {
	d.Considered = len(c.list)
	start := len(e.listed)
	for i := range c.list[:min(len(c.list), maxListed)] {
		k := &c.list[i]
		o := Candidate{Module: k.module, Type: k.typ, Drop: k.match.drop, Step: k.match.at, Value: k.value.v}
		if k.pruned && k.by != d.Record {
			o.Drop, o.By = DropPruned, k.by
		}
		e.listed = append(e.listed, o)
	}
	d.Candidates = e.listed[start:len(e.listed):len(e.listed)]
}

// prune drops the candidates that do not match.
func (e *engine) prune(c *candidates, d *Decision) {
	for i := range c.list {
		if k := &c.list[i]; !k.pruned && k.match.drop != DropNone {
			k.pruned, k.by = true, d.Record
			c.left--
		}
	}
}

// byFunc splits decisions by function: those of function i of an index are the
// ones that order[starts[i]:starts[i+1]] names.
func (x *index) byFunc(ds []Decision) (order, starts []int32) {
	starts = make([]int32, len(x.fns)+2)
	at := func(d *Decision) int {
		switch {
		case d.Program >= 0 && d.Program < len(x.in.Programs):
			return d.Program
		case d.Program < 0 && d.Sub >= 0 && d.Sub < len(x.in.Subs):
			return len(x.in.Programs) + d.Sub
		}
		return -1
	}
	for i := range ds {
		if n := at(&ds[i]); n >= 0 {
			starts[n+2]++
		}
	}
	for i := 2; i < len(starts); i++ {
		starts[i] += starts[i-1]
	}
	order = make([]int32, len(ds))
	for i := range ds {
		if n := at(&ds[i]); n >= 0 {
			order[starts[n+1]] = int32(i)
			starts[n+1]++
		}
	}
	return order, starts
}
