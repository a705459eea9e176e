package corpus

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"flag"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/lode-bpf/lode/fuzz/oracle"
)

var update = flag.Bool("update", false, "rewrite the corpus and its index")

// clauses say where the specifications speak of a class: the gABI is the
// generic part of the System V ABI.
var clauses = []struct{ class, clause string }{
	{"E", "gABI 4, ELF header"}, {"S", "gABI 4, sections"}, {"Y", "gABI 4, symbol table"},
	{"R05", "BPF relocation types"}, {"R06", "BPF relocation types"}, {"R08", "BPF relocation types"}, {"R09", "BPF relocation types"},
	{"R1", "BPF relocation types"}, {"R", "gABI 4, relocation"}, {"I", "RFC 9669"}, {"B", "btf.rst 2"}, {"X", "btf.rst 4"},
	{"L", "bpf(2), license"}, {"valid", "-"}, {"-", "gABI 4"},
}

var classPattern = regexp.MustCompile(`^(valid|[A-Z][0-9][0-9])-`)

// line is what the index says of a file.
func line(name string, b []byte) string {
	class := "-"
	if m := classPattern.FindStringSubmatch(name); m != nil {
		class = m[1]
	}
	clause := "-"
	for _, c := range clauses {
		if strings.HasPrefix(class, c.class) {
			clause = c.clause
			break
		}
	}
	sum := sha256.Sum256(b)
	v := oracle.Judge(b)
	return fmt.Sprintf("%s\t%s\t%d\t%s\t%s\t%s\t%s\t%s\n", name, hex.EncodeToString(sum[:]), len(b), class, clause, v[0], v[1], v[2])
}

// The corpus is what the sources make, and the index says of each file what it
// is and what the stages make of it.
func TestCurrent(t *testing.T) {
	files := sources(t)
	want := "id\tsha256\tbytes\tclass\tclause\telf\tbtf\tobject\n"
	for _, name := range slices.Sorted(maps.Keys(files)) {
		want += line(name, files[name])
	}
	if *update {
		write(t, files, want)
	}
	got, err := os.ReadFile("index.tsv")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(strings.Split(want, "\n"), strings.Split(string(got), "\n")); diff != "" {
		t.Errorf("index.tsv; go test ./fuzz/corpus -update rewrites it (-want +got):\n%s", diff)
	}
	found, err := filepath.Glob("files/*")
	if err != nil || len(found) != len(files) {
		t.Errorf("%d files in the folder, %d in the index (%v)", len(found), len(files), err)
	}
	for name, b := range files {
		if got, err := os.ReadFile("files/" + name + ".elf"); err != nil || !bytes.Equal(got, b) {
			t.Errorf("%s is not what its source makes (%v); go test ./fuzz/corpus -update rewrites it", name, err)
		}
	}
}

func write(t *testing.T, files map[string][]byte, index string) {
	t.Helper()
	if err := os.RemoveAll("files"); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir("files", 0o777); err != nil {
		t.Fatal(err)
	}
	for name, b := range files {
		if err := os.WriteFile("files/"+name+".elf", b, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile("index.tsv", []byte(index), 0o666); err != nil {
		t.Fatal(err)
	}
}

// What is embedded is complete, small, and breaks no promise.
func TestEntries(t *testing.T) {
	total := 0
	list := Entries()
	if len(list) < 100 {
		t.Errorf("%d entries", len(list))
	}
	for _, e := range list {
		if len(e.Data) != e.Bytes || e.Bytes == 0 {
			t.Errorf("%s: %d bytes, the index says %d", e.ID, len(e.Data), e.Bytes)
		}
		total += e.Bytes
		for _, v := range oracle.Check(e.Data) {
			t.Errorf("%s: %v", e.ID, v)
		}
		if e.Class == "valid" && strings.Contains(e.ELF+e.BTF+e.Object, "error") {
			t.Errorf("%s: %q, %q, %q", e.ID, e.ELF, e.BTF, e.Object)
		}
	}
	if total > 2<<20 {
		t.Errorf("the corpus has %d bytes", total)
	}
}

// Classes whose verdict is an error: some stage has to refuse each file.
func TestMalformedIsRefused(t *testing.T) {
	odd := regexp.MustCompile(`^(E12|E13|S03|S04|S07|S10|S13|S15|S16|S17|S18|R12|I03|I05|L01|L03|X04|X08|B09|B08|B11|B20|valid|-)`)
	for _, e := range Entries() {
		if !odd.MatchString(e.Class) && !strings.Contains(e.ELF+e.BTF+e.Object, "error") {
			t.Errorf("%s is accepted: %q, %q, %q", e.ID, e.ELF, e.BTF, e.Object)
		}
	}
}
