package btf

// An sccWalker finds the circles in the graph of types (strongly connected
// components), with Tarjan's algorithm and a stack of its own.
type sccWalker struct {
	n    int
	refs func(id TypeID, yield func(TypeID) bool)

	order []uint32 // when a type was first reached, from 1; 0: not yet
	low   []uint32 // the earliest type that it leads back to
	on    []bool   // on the stack of types whose circle is not complete
	open  []TypeID
	edges []TypeID // of the types on the way to the current one
	path  []sccFrame
}

// An sccFrame is a type on the way to the current one.
type sccFrame struct {
	id          TypeID
	first, next int // in edges
	self        bool
}

// walk calls visit for every circle, after all that it refers to. A type that
// is in no circle comes alone, with loop false.
func (g *sccWalker) walk(visit func(circle []TypeID, loop bool)) {
	g.order, g.low, g.on = make([]uint32, g.n), make([]uint32, g.n), make([]bool, g.n)
	count := uint32(0)
	for root := TypeID(1); int(root) < g.n; root++ {
		if g.order[root] != 0 {
			continue
		}
		g.push(root, &count)
		for len(g.path) > 0 {
			f := &g.path[len(g.path)-1]
			if f.next < len(g.edges) {
				to := g.edges[f.next]
				f.next++
				switch {
				case to == 0:
				case g.order[to] == 0:
					g.push(to, &count)
				case g.on[to]:
					f.self = f.self || to == f.id
					g.low[f.id] = min(g.low[f.id], g.order[to])
				}
				continue
			}
			g.pop(visit)
		}
	}
}

func (g *sccWalker) push(id TypeID, count *uint32) {
	*count++
	g.order[id], g.low[id], g.on[id] = *count, *count, true
	g.open = append(g.open, id)
	f := sccFrame{id: id, first: len(g.edges), next: len(g.edges)}
	g.refs(id, func(to TypeID) bool {
		g.edges = append(g.edges, to)
		return true
	})
	g.path = append(g.path, f)
}

func (g *sccWalker) pop(visit func([]TypeID, bool)) {
	f := g.path[len(g.path)-1]
	g.path = g.path[:len(g.path)-1]
	g.edges = g.edges[:f.first]
	if len(g.path) > 0 {
		up := g.path[len(g.path)-1].id
		g.low[up] = min(g.low[up], g.low[f.id])
	}
	if g.low[f.id] != g.order[f.id] {
		return
	}
	i := len(g.open) - 1
	for g.open[i] != f.id {
		i--
	}
	circle := g.open[i:]
	for _, id := range circle {
		g.on[id] = false
	}
	visit(circle, len(circle) > 1 || f.self)
	g.open = g.open[:i]
}
