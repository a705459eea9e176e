package btf

import "strconv"

// MinCORE writes the least of s that the CO-RE records of some objects need:
// every type that one of them might be matched with, with the members that it
// names. Relocation against the result decides as it does against s. Machines
// whose kernel has no BTF are given such files.
//
// Each Ext must have been parsed with the BTF of its object.
func (s *Spec) MinCORE(objects ...*Ext) ([]byte, error) {
	m := minimizer{s: s, need: make(map[TypeID]uint8), members: make(map[TypeID]map[int]bool)}
	for _, e := range objects {
		for _, sec := range e.Sections() {
			for n, r := range e.CORE(sec) {
				if err := m.record(e.strs, r); err != nil {
					return nil, &FormatError{Part: extParts[partCORE].name, Index: n, Offset: -1, Field: "access_str_off", Value: uint64(r.AccessOff), Kind: Range, Detail: err.Error()}
				}
			}
		}
	}
	if s.ptrSize != 8 { // which is what a reader assumes without a long
		for t := range s.Named("long int") {
			m.mark(t.id, needName)
		}
		for t := range s.Named("long") {
			m.mark(t.id, needName)
		}
	}
	return m.bytes()
}

// How much of a type of s is needed.
const (
	needName     = 1 << iota // that it is there: of a structure no members
	needCompat               // and what has to be compatible if it is
	needMatch                // and what has to match if it is
	needMatchPtr             // the same behind a pointer: there a structure is only a structure
)

// A minimizer collects what is needed of a Spec.
type minimizer struct {
	s       *Spec
	need    map[TypeID]uint8
	members map[TypeID]map[int]bool
}

// record takes note of what one CO-RE record might use.
func (m *minimizer) record(local *Spec, r CORERecord) error {
	root := local.Type(r.Type)
	if !root.Valid() || r.Kind > CORETypeMatches {
		return &TypeError{Op: "minimize", ID: r.Type, At: r.Type, Kind: Range, Detail: "no such type, or no such kind of record"}
	}
	if r.Kind == CORETypeIDLocal || root.Name() == "" {
		return nil
	}
	access, ok := local.String(r.AccessOff)
	if !ok {
		return &TypeError{Op: "minimize", ID: r.Type, At: r.Type, Kind: Name, Detail: "no such string"}
	}
	steps, err := ParseAccess(access)
	if err != nil {
		return err
	}
	var path []string
	if r.Kind <= COREFieldRshiftU64 {
		if path, err = accessPath(local, r.Type, steps); err != nil {
			return err
		}
	}
	for c := range m.s.Candidates(EssentialName(root.Name())) {
		if c.Kind() != root.Kind() && !(c.is(KindEnum, KindEnum64) && root.is(KindEnum, KindEnum64)) {
			continue
		}
		switch r.Kind {
		case CORETypeMatches:
			m.mark(c.id, needMatch)
		case CORETypeExists, CORETypeSize, CORETypeIDTarget:
			m.mark(c.id, needCompat)
		case COREEnumvalExists, COREEnumvalValue:
			m.mark(c.id, needName)
		default:
			m.field(c.id, path)
		}
	}
	return nil
}

// accessPath turns an access into the names of the members on the way, with
// "" for an element of an array. What has no name is passed over, as matching
// does.
func accessPath(local *Spec, id TypeID, steps []int) ([]string, error) {
	var path []string
	for _, n := range steps[1:] {
		t, err := local.Resolve(id)
		if err != nil {
			return nil, err
		}
		switch t.Kind() {
		case KindStruct, KindUnion:
			if n >= t.NumMembers() {
				return nil, &TypeError{Op: "minimize", ID: id, At: t.id, Kind: Range, Detail: "no member " + strconv.Itoa(n)}
			}
			mem := t.Member(n)
			if mem.Name != "" {
				path = append(path, mem.Name)
			}
			id = mem.Type
		case KindArray:
			path = append(path, "")
			id = t.Elem()
		default:
			return nil, &TypeError{Op: "minimize", ID: id, At: t.id, Kind: Range, Detail: "a " + t.Kind().String() + " has no parts"}
		}
	}
	return path, nil
}

// field marks the members that a path names, and the types on the way.
func (m *minimizer) field(id TypeID, path []string) {
	m.mark(id, needName)
	for _, name := range path {
		t, err := m.s.Resolve(id)
		if err != nil {
			return
		}
		if name == "" {
			if t.Kind() != KindArray {
				return
			}
			id = t.Elem()
		} else if id = m.member(t, name); id == 0 {
			return
		}
		m.mark(id, needName)
	}
}

// member marks a member of a structure, and the members without names that it
// is in. It returns the member's type, or 0.
func (m *minimizer) member(root Type, name string) TypeID {
	type place struct {
		t     Type
		up, n int // reached by member n of places[up]
	}
	places := []place{{t: root, up: -1}}
	seen := map[TypeID]bool{root.id: true}
	for i := 0; i < len(places); i++ {
		for n, mem := range places[i].t.Members() {
			if mem.Name == name {
				m.mark(mem.Type, needName)
				for at := i; at >= 0; at, n = places[at].up, places[at].n {
					m.keep(places[at].t.id, n)
				}
				return mem.Type
			}
			if u, err := m.s.Resolve(mem.Type); mem.Name == "" && err == nil && u.is(KindStruct, KindUnion) && !seen[u.id] {
				seen[u.id] = true
				places = append(places, place{u, i, n})
			}
		}
	}
	return 0
}

// keep marks one member of a structure and its type.
func (m *minimizer) keep(id TypeID, n int) {
	if m.members[id] == nil {
		m.members[id] = make(map[int]bool)
	}
	m.members[id][n] = true
	m.mark(id, needName)
	m.mark(m.s.Type(id).Member(n).Type, needName)
}
