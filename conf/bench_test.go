package conf

import (
	"os"
	"strconv"
	"strings"
	"testing"
)

// The sample file: 1.9 KB.
func BenchmarkParse(b *testing.B) {
	text, err := os.ReadFile("../docs/pinning.conf")
	if err != nil {
		b.Fatal(err)
	}
	b.SetBytes(int64(len(text)))
	b.ReportAllocs()
	for range b.N {
		if _, _, err := Parse("f", text, Strict); err != nil {
			b.Fatal(err)
		}
	}
}

// A query that goes through 1,000 rules, each with a pattern, before it gets to
// the root.
func BenchmarkDecide(b *testing.B) {
	var text strings.Builder
	for i := range 1000 {
		text.WriteString("map stats_*_" + strconv.Itoa(i) + " d\n")
	}
	c, _, err := Parse("f", []byte(text.String()), Strict)
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for range b.N {
		if _, err := c.Decide(Query{Map: "stats_of_everything", PinValue: 1}); err != nil {
			b.Fatal(err)
		}
	}
}
