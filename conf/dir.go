package conf

import (
	"errors"
	"strconv"
	"strings"
)

// The placeholders of directories, and what they stand for in a query.
var placeholders = [...]struct {
	text  string
	value func(*Query) string
	empty string // why the value may be missing
}{
	{"%{object}", func(q *Query) string { return q.Object }, "the object has no name"},
	{"%{type}", (*Query).kindType, "its type is not known"},
	{"%{progtype}", func(q *Query) string { return q.ProgType }, "the type of program is not known"},
	{"%{ifname}", func(q *Query) string { return q.IfName }, "no network device was given"},
}

// A dirError is what is wrong with a directory, and where in it.
type dirError struct {
	pos    int
	reason string
}

// parseDir checks a directory of the configuration and makes it relative to
// bpffs. An absolute path has to lie in top, where bpffs is.
func parseDir(s, top string) (string, *dirError) {
	rest, pos := s, 0
	if strings.HasPrefix(s, "/") {
		below, ok := strings.CutPrefix(s, top)
		switch {
		case !ok || below != "" && below[0] != '/':
			return "", &dirError{0, "the path " + quoteShort(s) + " is not in bpffs, which is at " + top}
		case below == "":
			return "", nil
		}
		rest, pos = below[1:], len(top)+1
	}
	elements := strings.Split(rest, "/")
	if len(elements) > MaxPathElements {
		return "", &dirError{0, "the path has " + strconv.Itoa(len(elements)) + " elements, " + strconv.Itoa(MaxPathElements) + " are allowed"}
	}
	for _, e := range elements {
		if err := checkTemplate(e); err != nil {
			return "", &dirError{pos + err.pos, err.reason}
		}
		pos += len(e) + 1
	}
	return rest, nil
}

// checkTemplate checks one path element that may hold placeholders: with each
// replaced by a letter it has to be a good name.
func checkTemplate(e string) *dirError {
	switch e {
	case "":
		return &dirError{0, "an empty path element"}
	case ".", "..":
		return &dirError{0, "the path element " + strconv.Quote(e) + " is not allowed"}
	}
	var plain []byte // e with one letter for each placeholder
	var at []int     // where each byte of plain stands in e
	for i := 0; i < len(e); {
		if e[i] != '%' {
			plain, at = append(plain, e[i]), append(at, i)
			i++
			continue
		}
		p := placeholderAt(e[i:])
		if p < 0 {
			return &dirError{i, "'%' does not begin one of the placeholders %{object}, %{type}, %{progtype} and %{ifname}"}
		}
		plain, at = append(plain, 'x'), append(at, i)
		i += len(placeholders[p].text)
	}
	err := CheckName(string(plain))
	var bad *NameError
	if errors.As(err, &bad) {
		reason := "path element " + quoteShort(e) + ": "
		if len(plain) > MaxName {
			return &dirError{at[MaxName], reason + bad.Reason}
		}
		return &dirError{at[bad.Pos], reason + quoteByte(bad.Byte) + why(bad.Byte, bad.Pos)}
	}
	return nil
}

// placeholderAt is the number of the placeholder that s begins with, or -1.
func placeholderAt(s string) int {
	for i := range placeholders {
		if strings.HasPrefix(s, placeholders[i].text) {
			return i
		}
	}
	return -1
}

// expandDir replaces the placeholders of a directory by the values of a query
// and checks every element that comes out.
func expandDir(dir string, q *Query) (string, error) {
	if dir == "" {
		return "", nil
	}
	elements := strings.Split(dir, "/")
	for i, e := range elements {
		expanded, err := expandElement(e, q)
		if err != nil {
			return "", err
		}
		elements[i] = expanded
	}
	return strings.Join(elements, "/"), nil
}

func expandElement(e string, q *Query) (string, error) {
	var out []byte
	for i := 0; i < len(e); {
		p := -1
		if e[i] == '%' {
			p = placeholderAt(e[i:])
		}
		if p < 0 {
			out = append(out, e[i])
			i++
			continue
		}
		v := placeholders[p].value(q)
		if v == "" {
			return "", errors.New(placeholders[p].text + " has no value: " + placeholders[p].empty)
		}
		out = append(out, v...)
		i += len(placeholders[p].text)
	}
	if err := CheckName(string(out)); err != nil {
		return "", err
	}
	return string(out), nil
}
