package prog

import (
	"strconv"
	"strings"
)

// A verifierLog is what the form of a log tells.
type verifierLog struct {
	index int    // instruction of the last line "N: ("
	insn  string // that line without the number and without register states
	after []string
	state map[int]string // registers before that instruction
}

// parseLog reads a log from its beginning: states of registers accumulate along
// the path that the verifier took last.
func parseLog(log string) verifierLog {
	p := verifierLog{index: -1, state: map[int]string{}}
	var pending string // states after the last instruction
	for rest := log; rest != ""; {
		line, tail, _ := strings.Cut(rest, "\n")
		rest = tail
		n, body, ok := numbered(line)
		switch {
		case ok && strings.HasPrefix(body, "("):
			p.states(pending)
			p.insn, pending = cutStates(body)
			p.index, p.after = n, p.after[:0]
		case ok && registers(body) >= 0:
			p.states(pending)
			p.states(body)
			pending = ""
		case branch(line) != "":
			clear(p.state)
			p.states(branch(line))
			pending = ""
		case summary(line) || strings.HasPrefix(line, ";"):
		default:
			p.after = append(p.after, strings.TrimRight(line, " \t\r"))
		}
	}
	for len(p.after) > 0 && p.after[len(p.after)-1] == "" {
		p.after = p.after[:len(p.after)-1]
	}
	return p
}

// numbered splits "N: body".
func numbered(line string) (int, string, bool) {
	num, body, ok := strings.Cut(line, ": ")
	if !ok || num == "" || len(num) > 8 || strings.Trim(num, "0123456789") != "" {
		return 0, "", false
	}
	n, err := strconv.Atoi(num)
	return n, body, err == nil
}

// branch is the states of "from N to M: states", empty for other lines.
func branch(line string) string {
	s, ok := strings.CutPrefix(line, "from ")
	if !ok {
		return ""
	}
	head, body, ok := strings.Cut(s, ": ")
	from, to, two := strings.Cut(head, " to ")
	if !ok || !two || from == "" || strings.Trim(from+strings.Fields(to + " x")[0], "0123456789") != "" {
		return ""
	}
	return body
}

// summary recognises the statistics at the end of a log.
func summary(line string) bool {
	for _, s := range []string{"processed ", "verification time ", "stack depth "} {
		if strings.HasPrefix(line, s) {
			return true
		}
	}
	return false
}

// cutStates splits "(07) r1 += 1 ; R1_w=1" into instruction and states.
func cutStates(body string) (code, states string) {
	for from := 0; ; {
		i := strings.Index(body[from:], ";")
		if i < 0 {
			return strings.TrimSpace(body), ""
		}
		i += from
		if s := strings.TrimSpace(body[i+1:]); registers(s) >= 0 {
			return strings.TrimSpace(body[:i]), s
		}
		from = i + 1
	}
}

// registers is the number of the register that a list of states begins with, -1
// if it is not one: "R1_w=ctx() R10=fp0", "R1=ctx …". Frames before it, as in
// "frame1: R1=…", are skipped.
func registers(s string) int {
	s = skipFrame(s)
	if !strings.HasPrefix(s, "R") {
		return -1
	}
	name, _, ok := strings.Cut(s[1:], "=")
	num, _, _ := strings.Cut(name, "_")
	n, err := strconv.Atoi(num)
	if !ok || err != nil || n < 0 || n > 10 || len(name) > 8 {
		return -1
	}
	return n
}

func skipFrame(s string) string {
	if f, rest, ok := strings.Cut(s, ": "); ok && strings.HasPrefix(f, "frame") && strings.Trim(f[5:], "0123456789") == "" {
		return rest
	}
	return s
}

// states notes every "Rn=value" of a list. Values may have blanks within
// parentheses.
func (p *verifierLog) states(s string) {
	s = skipFrame(s)
	for s != "" {
		n := registers(s)
		_, value, ok := strings.Cut(s, "=")
		if !ok {
			return
		}
		end, depth := len(value), 0
		for i := range len(value) {
			switch c := value[i]; {
			case c == '(':
				depth++
			case c == ')':
				depth--
			case c == ' ' && depth <= 0:
				end = i
			}
			if end <= i {
				break
			}
		}
		if n >= 0 {
			p.state[n] = value[:end]
		}
		s = strings.TrimLeft(value[end:], " ")
	}
}
