package insn

// dominators finds the immediate dominators with the algorithm of Lengauer and
// Tarjan ("A fast algorithm for finding dominators in a flowgraph", 1979), in
// the simple form: time proportional to edges × log(blocks). Nothing recurses,
// since the shape of the graph is the file's.
func (g *Graph) dominators() {
	d := domination{g: g}
	d.number()
	d.run()
	g.intervals()
}

// All slices but number are indexed by depth-first number.
type domination struct {
	g                                        *Graph
	numberOf                                 []int32 // by block; -1 if not reachable
	block, parent                            []int32
	semi, dom, ancestor, label, bucket, next []int32
	way                                      []int32 // buffer of eval
}

// number numbers the reachable blocks in depth-first order.
func (d *domination) number() {
	blocks := d.g.Blocks
	d.numberOf = make([]int32, len(blocks))
	for i := range d.numberOf {
		d.numberOf[i] = -1
	}
	type step struct {
		block, parent int32
	}
	stack := []step{{0, -1}}
	for len(stack) > 0 {
		s := stack[len(stack)-1]
		stack = stack[:len(stack)-1]
		if d.numberOf[s.block] >= 0 {
			continue
		}
		n := int32(len(d.block))
		d.numberOf[s.block] = n
		d.block = append(d.block, s.block)
		d.parent = append(d.parent, s.parent)
		blocks[s.block].Reachable = true
		for i := len(blocks[s.block].Succs) - 1; i >= 0; i-- {
			stack = append(stack, step{int32(blocks[s.block].Succs[i]), n})
		}
	}
}

func (d *domination) run() {
	n := len(d.block)
	all := make([]int32, 6*n)
	for i, s := range [...]*[]int32{&d.semi, &d.dom, &d.ancestor, &d.label, &d.bucket, &d.next} {
		*s = all[i*n : (i+1)*n : (i+1)*n]
	}
	for i := range n {
		d.semi[i], d.label[i] = int32(i), int32(i)
		d.ancestor[i], d.bucket[i] = -1, -1
	}
	for w := int32(n - 1); w > 0; w-- {
		for _, p := range d.g.Blocks[d.block[w]].Preds {
			if v := d.numberOf[p]; v >= 0 {
				if u := d.eval(v); d.semi[u] < d.semi[w] {
					d.semi[w] = d.semi[u]
				}
			}
		}
		d.next[w], d.bucket[d.semi[w]] = d.bucket[d.semi[w]], w
		p := d.parent[w]
		d.ancestor[w] = p
		for v := d.bucket[p]; v >= 0; v = d.next[v] {
			d.dom[v] = p
			if u := d.eval(v); d.semi[u] < d.semi[v] {
				d.dom[v] = u
			}
		}
		d.bucket[p] = -1
	}
	for w := 1; w < n; w++ {
		if d.dom[w] != d.semi[w] {
			d.dom[w] = d.dom[d.dom[w]]
		}
		d.g.Blocks[d.block[w]].Idom = int(d.block[d.dom[w]])
	}
}

// eval is the block of least semidominator on the way up from v, compressing
// the way.
func (d *domination) eval(v int32) int32 {
	if d.ancestor[v] < 0 {
		return v
	}
	way := d.way[:0]
	for u := v; d.ancestor[d.ancestor[u]] >= 0; u = d.ancestor[u] {
		way = append(way, u)
	}
	d.way = way
	for i := len(way) - 1; i >= 0; i-- {
		u := way[i]
		a := d.ancestor[u]
		if d.semi[d.label[a]] < d.semi[d.label[u]] {
			d.label[u] = d.label[a]
		}
		d.ancestor[u] = d.ancestor[a]
	}
	return d.label[v]
}

// intervals numbers the dominator tree on the way down and up.
func (g *Graph) intervals() {
	n := len(g.Blocks)
	child, sibling := make([]int32, n), make([]int32, n)
	for i := range child {
		child[i], sibling[i] = -1, -1
	}
	for i := n - 1; i > 0; i-- {
		if p := g.Blocks[i].Idom; p >= 0 {
			sibling[i], child[p] = child[p], int32(i)
		}
	}
	g.enter, g.leave = make([]int32, n), make([]int32, n)
	clock := int32(0)
	for at, down := int32(0), true; at >= 0; {
		if down {
			clock++
			g.enter[at] = clock
			if child[at] >= 0 {
				at = child[at]
				continue
			}
		}
		clock++
		g.leave[at] = clock
		if sibling[at] >= 0 && at != 0 {
			at, down = sibling[at], true
			continue
		}
		at, down = int32(g.Blocks[at].Idom), false
	}
}
