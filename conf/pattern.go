package conf

import "strconv"

// checkPattern checks the pattern of a rule: name characters and dots, '*' for
// any run of characters, '?' for any one.
func checkPattern(s string) *dirError {
	if s == "" {
		return &dirError{0, "an empty pattern"}
	}
	if len(s) > MaxName {
		return &dirError{MaxName, "the pattern has " + strconv.Itoa(len(s)) + " bytes, " + strconv.Itoa(MaxName) + " are allowed"}
	}
	for i := 0; i < len(s); i++ {
		if c := s[i]; !isNameByte(c) && c != '-' && c != '.' && c != '*' && c != '?' {
			return &dirError{i, quoteByte(c) + " cannot stand in a pattern; letters, digits, '_', '-', '.', '*' and '?' can"}
		}
	}
	return nil
}

// match says whether a name fits a pattern. As in a shell, a leading dot has to
// be written: "*" does not match ".rodata". It takes at most len(pattern) *
// len(name) steps: a mismatch goes back to the last '*' only.
func match(pattern, name string) bool {
	if len(name) > 0 && name[0] == '.' && (len(pattern) == 0 || pattern[0] != '.') {
		return false
	}
	p, n := 0, 0
	star, again := -1, 0 // the last '*', and where the name goes on if it takes one more character
	for n < len(name) {
		switch {
		case p < len(pattern) && pattern[p] == '*':
			star, again = p, n
			p++
		case p < len(pattern) && (pattern[p] == '?' || pattern[p] == name[n]):
			p++
			n++
		case star >= 0:
			again++
			p, n = star+1, again
		default:
			return false
		}
	}
	for p < len(pattern) && pattern[p] == '*' {
		p++
	}
	return p == len(pattern)
}

// rule is the first rule that matches the query; rules about a map or program
// come before rules about its object.
func (c *Config) rule(q *Query) *Rule {
	kind, name := q.what()
	var object *Rule
	for i := range c.Rules {
		r := &c.Rules[i]
		if r.Object != "" && !match(r.Object, q.Object) {
			continue
		}
		switch {
		case r.Kind == kind && match(r.Name, name):
			return r
		case r.Kind == RuleObject && object == nil && q.PinValue != 0:
			object = r
		}
	}
	return object
}
