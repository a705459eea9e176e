package lode

import (
	"fmt"
	"strings"
)

// String is the plan as a person reads it, top to bottom. It ends in a newline.
// Names from the file are quoted where they could be mistaken for text.
func (p *Plan) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "plan for object %q, license %q\n", p.Object, p.License)
	p.writeMaps(&b)
	p.writePrograms(&b)
	if len(p.Steps) > 0 {
		fmt.Fprintf(&b, "\nsteps (%d)\n", len(p.Steps))
		for i, s := range p.Steps {
			fmt.Fprintf(&b, "  %3d  %s\n", i+1, s)
		}
	}
	if len(p.Needs) > 0 {
		b.WriteString("\nneeds\n")
		for _, n := range p.Needs {
			fmt.Fprintf(&b, "  %s\n", n)
		}
	}
	if len(p.Warnings) > 0 {
		b.WriteString("\nwarnings\n")
		for _, w := range p.Warnings {
			fmt.Fprintf(&b, "  %s\n", w)
		}
	}
	return b.String()
}

func (p *Plan) writeMaps(b *strings.Builder) {
	if len(p.Maps) == 0 {
		return
	}
	rows := [][]string{{"maps", "type", "key", "value", "entries", "flags", "bytes", "source"}}
	for _, m := range p.Maps {
		rows = append(rows, []string{name(m.Name), m.Type, fmt.Sprint(m.KeySize), fmt.Sprint(m.ValueSize), fmt.Sprint(m.MaxEntries), flags(m.Flags), fmt.Sprint(m.Bytes), string(m.Source)})
	}
	b.WriteByte('\n')
	table(b, rows)
	for _, m := range p.Maps {
		if m.Pin != nil {
			fmt.Fprintf(b, "  %s is pinned: %s\n", name(m.Name), m.Pin)
		}
	}
}

func (p *Plan) writePrograms(b *strings.Builder) {
	if len(p.Programs) == 0 {
		return
	}
	rows := [][]string{{"programs", "type", "section", "attach", "insns", "maps"}}
	for _, g := range p.Programs {
		attach := g.AttachType
		if g.Target != "" {
			attach = strings.TrimSpace(attach + " " + fmt.Sprintf("%q", g.Target))
		}
		insns := fmt.Sprint(g.Instructions)
		if !g.Load {
			insns = "not loaded"
		}
		used := make([]string, len(g.Maps))
		for i, m := range g.Maps {
			used[i] = name(m)
		}
		rows = append(rows, []string{name(g.Name), g.Type, name(g.Section), attach, insns, strings.Join(used, " ")})
	}
	b.WriteByte('\n')
	table(b, rows)
	for _, g := range p.Programs {
		if g.Pin != nil {
			fmt.Fprintf(b, "  %s is pinned: %s\n", name(g.Name), g.Pin)
		}
		if g.Error != "" {
			fmt.Fprintf(b, "  %s cannot be loaded: %s\n", name(g.Name), g.Error)
		}
		for _, r := range g.Relocations {
			fmt.Fprintf(b, "  %s+%d: %s: %s\n", name(g.Name), r.Index, r.What, r.Result)
		}
	}
}

func (p *PlannedPin) String() string {
	s := fmt.Sprintf("%s (decided by %s; now %s", name(p.Path), p.Decided, p.Now)
	if p.OnMismatch != "" {
		s += "; on mismatch " + string(p.OnMismatch)
	}
	return s + ")"
}

// String is the step as one line.
func (s Step) String() string {
	line := fmt.Sprintf("%-13s", s.Op)
	switch s.Op {
	case OpSetSlot, OpSetTailCall, OpRefillSlot:
		line += fmt.Sprintf(" %s[%d] = %s", name(s.Map), s.Key, name(s.Target))
	default:
		for _, n := range []string{s.Map, s.Program} {
			if n != "" {
				line += " " + name(n)
			}
		}
		if s.Target != "" {
			line += " to " + name(s.Target)
		}
		if s.Path != "" {
			line += " at " + name(s.Path)
		}
	}
	if s.Note != "" {
		line += "  # " + s.Note
	}
	return line
}

func (n Need) String() string {
	s := fmt.Sprintf("%s %s", n.Kind, n.Name)
	if n.Since != "" {
		s += " (Linux " + n.Since + ")"
	}
	return fmt.Sprintf("%s for %s: here %s", s, n.For, n.Here)
}

// name shows a name from a file: as it is if it is plain, else quoted.
func name(s string) string {
	for _, r := range s {
		if r <= ' ' || r > '~' || r == '"' || r == '\\' {
			return fmt.Sprintf("%q", s)
		}
	}
	if s == "" {
		return `""`
	}
	return s
}

func flags(f uint32) string {
	if f == 0 {
		return "0"
	}
	return fmt.Sprintf("%#x", f)
}

// table writes rows in columns as wide as their widest cell, indented but for
// the first row.
func table(b *strings.Builder, rows [][]string) {
	width := make([]int, len(rows[0]))
	for r, row := range rows {
		for c, cell := range row {
			n := len(cell)
			if r == 0 && c == 0 {
				n -= 2
			}
			width[c] = max(width[c], n)
		}
	}
	for r, row := range rows {
		line := "  "
		if r == 0 {
			line = ""
		}
		for c, cell := range row {
			w := width[c]
			if r == 0 && c == 0 {
				w += 2
			}
			line += fmt.Sprintf("%-*s  ", w, cell)
		}
		b.WriteString(strings.TrimRight(line, " ") + "\n")
	}
}

// Diff lists what differs between two plans, one line each: "-" stands only in
// p, "+" only in other. It is empty if the plans are equal.
func (p *Plan) Diff(other *Plan) []string {
	a, b := strings.Split(p.String(), "\n"), strings.Split(other.String(), "\n")
	for len(a) > 0 && len(b) > 0 && a[0] == b[0] {
		a, b = a[1:], b[1:]
	}
	for len(a) > 0 && len(b) > 0 && a[len(a)-1] == b[len(b)-1] {
		a, b = a[:len(a)-1], b[:len(b)-1]
	}
	return diffLines(a, b)
}

// diffLines is a shortest edit script by the longest common subsequence. Plans
// have some hundreds of lines at most; longer ones are compared as two blocks.
func diffLines(a, b []string) []string {
	var out []string
	if len(a)*len(b) > 4<<20 {
		for _, l := range a {
			out = append(out, "-"+l)
		}
		for _, l := range b {
			out = append(out, "+"+l)
		}
		return out
	}
	common := make([][]int32, len(a)+1)
	for i := range common {
		common[i] = make([]int32, len(b)+1)
	}
	for i := len(a) - 1; i >= 0; i-- {
		for j := len(b) - 1; j >= 0; j-- {
			if a[i] == b[j] {
				common[i][j] = common[i+1][j+1] + 1
			} else {
				common[i][j] = max(common[i+1][j], common[i][j+1])
			}
		}
	}
	i, j := 0, 0
	for i < len(a) || j < len(b) {
		switch {
		case i < len(a) && j < len(b) && a[i] == b[j]:
			i, j = i+1, j+1
		case j == len(b) || i < len(a) && common[i+1][j] >= common[i][j+1]:
			out = append(out, "-"+a[i])
			i++
		default:
			out = append(out, "+"+b[j])
			j++
		}
	}
	return out
}
