package corpus

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
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

	"github.com/lode-bpf/lode/conf"
	"github.com/lode-bpf/lode/fuzz/oracle"
)

var update = flag.Bool("update", false, "rewrite the corpus and its index")

// clauses say where the specifications speak of a class: the gABI is the
// generic part of the System V ABI.
var clauses = []struct{ class, clause string }{
	{"E", "gABI 4, ELF header"}, {"S", "gABI 4, sections"}, {"Y", "gABI 4, symbol table"},
	{"R05", "BPF relocation types"}, {"R06", "BPF relocation types"}, {"R08", "BPF relocation types"}, {"R09", "BPF relocation types"},
	{"R1", "BPF relocation types"}, {"R", "gABI 4, relocation"}, {"I", "RFC 9669"}, {"B", "btf.rst 2"}, {"X", "btf.rst 4"},
	{"L", "bpf(2), license"}, {"M", "libbpf, map definitions"}, {"C", "docs/pinning.conf.md"}, {"valid", "-"}, {"-", "gABI 4"},
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
	v := []string{"none", "none", "none", "none"}
	if class[0] == 'C' {
		v[3] = judgeConf(b)
	} else {
		for i, x := range oracle.Judge(b) {
			v[i] = x.String()
		}
	}
	return fmt.Sprintf("%s\t%s\t%d\t%s\t%s\t%s\n", name, hex.EncodeToString(sum[:]), len(b), class, clause, strings.Join(v, "\t"))
}

// judgeConf is the verdict on a configuration.
func judgeConf(b []byte) string {
	_, findings, err := conf.Parse("pinning.conf", b, conf.Strict)
	switch {
	case errors.Is(err, conf.ErrLimit):
		return "error: limit exceeded"
	case err != nil:
		return "error: configuration"
	case len(findings) > 0:
		return "finding"
	}
	return "ok"
}

// The corpus is what the sources make, and the index says of each file what it
// is and what the stages make of it.
func TestCurrent(t *testing.T) {
	files := sources(t)
	want := "id\tsha256\tbytes\tclass\tclause\telf\tbtf\tobject\tconf\n"
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
		if got, err := os.ReadFile(path(name)); err != nil || !bytes.Equal(got, b) {
			t.Errorf("%s is not what its source makes (%v); go test ./fuzz/corpus -update rewrites it", name, err)
		}
	}
}

func path(name string) string {
	class, _, _ := strings.Cut(name, "-")
	return "files/" + name + ending(class)
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
		if err := os.WriteFile(path(name), b, 0o666); err != nil {
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
		if isConf := strings.HasPrefix(e.Class, "C"); isConf == (e.Conf == "none") || isConf == (e.ELF != "none") {
			t.Errorf("%s has the verdict of another format", e.ID)
		}
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

// What has to become of each class, at the stage that sees it first. A row is for
// all classes and IDs that begin with one of its words; the first row counts.
var verdicts = []struct{ classes, stage, want string }{
	{"valid", "elf", "ok|finding"}, {"-", "elf", ""},
	{"S07-empty-table-of-section-names", "elf", "error"},
	{"Y09", "elf", "ok|finding"},
	{"E12 E13 S03 S04 S07 S13 S17 S18 Y05 R12 L01 L03", "elf", "finding"},
	{"S08 S09 S10 S11 S12 S15 S16 L02 M12 P01", "elf", "error: limit exceeded"},
	{"R05 R06 R09 R10 R11 I01 I02 I04 X07-record-of X09 M02 M08 M09 M11", "object", "error"},
	{"I06 I07 M10", "object", "error: limit exceeded"},
	{"M01-variable-past-the-section-by-its-types", "object", "error"},
	{"M03 M04 M05 M06 M07 X04 X08-unknown", "object", "finding"},
	{"B22 X05", "btf", "error: limit exceeded"},
	{"C", "conf", "error"},
	{"E S Y R M01", "elf", "error"},
	// Decoding an instruction is total, insn.Check reports it; and types that
	// answer no question are refused when they are asked one.
	{"I03 I05", "object", "ok"},
	{"B08 B09 B10 B11 B16 B17 B19 B20 B21", "btf", "ok"},
	{"B X", "btf", "error"},
}

func TestVerdicts(t *testing.T) {
	list := Entries()
	for _, r := range Rules() {
		list = append(list, Entry{ID: r.ID, Class: r.Class, ELF: r.ELF, BTF: r.BTF, Object: r.Object})
	}
	classes := map[string]bool{}
	for _, e := range list {
		classes[e.Class] = true
		found := false
		for _, v := range verdicts {
			if !slices.ContainsFunc(strings.Fields(v.classes), func(c string) bool {
				return strings.HasPrefix(e.ID, c) && e.Class != "-" || e.Class == c
			}) {
				continue
			}
			found = true
			got := map[string]string{"elf": e.ELF, "btf": e.BTF, "object": e.Object, "conf": e.Conf}[v.stage]
			if ok, _ := regexp.MatchString("^("+v.want+")", got); !ok {
				t.Errorf("%s: the verdict of stage %s is %q, want %q", e.ID, v.stage, got, v.want)
			}
			break
		}
		if !found {
			t.Errorf("%s: no row says what has to become of it", e.ID)
		}
	}
	// The classes of the list, less those that need a file system: pins, and
	// configurations that are no files.
	for letter, n := range map[string]int{"E": 13, "S": 18, "Y": 9, "R": 12, "I": 7, "B": 22, "X": 9, "M": 12, "L": 3, "P": 1, "C": 13} {
		for i := range n {
			if c := fmt.Sprintf("%s%02d", letter, i+1); !classes[c] {
				t.Errorf("nothing of class %s", c)
			}
		}
	}
}
