package sys

import (
	"iter"
	"strconv"
	"strings"
)

// An enumRow is what is known of one value of a UAPI enum.
type enumRow struct{ name, since string }

func enumString(kind string, rows []enumRow, n uint32) string {
	if uint64(n) < uint64(len(rows)) {
		return rows[n].name
	}
	return kind + "(" + strconv.FormatUint(uint64(n), 10) + ")"
}

func enumSince(rows []enumRow, n uint32) string {
	if uint64(n) < uint64(len(rows)) {
		return rows[n].since
	}
	return ""
}

// enumParse reads back what enumString wrote.
func enumParse(kind string, rows []enumRow, s string) (uint32, bool) {
	for i, r := range rows {
		if r.name == s {
			return uint32(i), true
		}
	}
	s, ok := strings.CutPrefix(s, kind+"(")
	if !ok {
		return 0, false
	}
	if s, ok = strings.CutSuffix(s, ")"); !ok {
		return 0, false
	}
	n, err := strconv.ParseUint(s, 10, 32)
	return uint32(n), err == nil
}

func enumAll[T ~uint32](rows []enumRow, first int) iter.Seq[T] {
	return func(yield func(T) bool) {
		for i := first; i < len(rows); i++ {
			if !yield(T(i)) {
				return
			}
		}
	}
}
