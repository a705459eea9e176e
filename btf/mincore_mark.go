package btf

// mark takes note of a type and of what belongs to it, with a list of what is
// still to be looked at.
func (m *minimizer) mark(id TypeID, how uint8) {
	type need struct {
		id  TypeID
		how uint8
	}
	todo := []need{{id, how}}
	for len(todo) > 0 {
		n := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		if n.id == 0 || m.need[n.id]&n.how != 0 {
			continue
		}
		m.need[n.id] |= n.how
		t := m.s.Type(n.id)
		switch t.Kind() {
		case KindStruct, KindUnion:
			if n.how != needMatch {
				continue
			}
			if m.members[n.id] == nil {
				m.members[n.id] = make(map[int]bool)
			}
			for i, mem := range t.Members() {
				m.members[n.id][i] = true
				todo = append(todo, need{mem.Type, needMatch})
			}
		case KindPtr:
			switch n.how {
			case needName: // what a field points to never matters
			case needMatch, needMatchPtr:
				todo = append(todo, need{t.Elem(), needMatchPtr})
			default:
				todo = append(todo, need{t.Elem(), n.how})
			}
		case KindArray:
			todo = append(todo, need{t.Elem(), n.how}, need{t.Index(), needName})
		default:
			for id := range t.Refs() {
				todo = append(todo, need{id, n.how})
			}
		}
	}
}

// bytes writes what is needed, in the order of the ids, without a base. A
// type that is not needed becomes void where another refers to it.
func (m *minimizer) bytes() ([]byte, error) {
	ids := make(map[TypeID]TypeID, len(m.need))
	next := TypeID(1)
	for id := TypeID(1); int(id) < m.s.NumTypes(); id++ {
		if m.need[id] != 0 {
			ids[id] = next
			next++
		}
	}
	var b Builder
	remap := func(id TypeID) TypeID { return ids[id] }
	for id := TypeID(1); int(id) < m.s.NumTypes(); id++ {
		if m.need[id] == 0 {
			continue
		}
		t := m.s.Type(id)
		if !t.is(KindStruct, KindUnion) {
			b.AddType(t, remap)
			continue
		}
		var members []Member
		for i, mem := range t.Members() {
			if m.members[id][i] {
				mem.Type = ids[mem.Type]
				members = append(members, mem)
			}
		}
		if t.Kind() == KindStruct {
			b.AddStruct(t.Name(), t.Size(), members...)
		} else {
			b.AddUnion(t.Name(), t.Size(), members...)
		}
	}
	return b.Bytes(m.s.ByteOrder())
}
