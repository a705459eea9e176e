package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// call runs malgen and wants an exit status.
func call(t *testing.T, want int, args ...string) (out, errOut string) {
	t.Helper()
	var o, e bytes.Buffer
	if got := run(args, &o, &e); got != want {
		t.Fatalf("malgen %q: status %d, want %d\n%s%s", args, got, want, &o, &e)
	}
	return o.String(), e.String()
}

func TestGen(t *testing.T) {
	a, b := t.TempDir(), t.TempDir()
	for _, dir := range []string{a, b} {
		call(t, 0, "gen", "-n", "20", "-seed", "7", "-o", dir)
	}
	files, err := filepath.Glob(a + "/*")
	if err != nil || len(files) != 21 {
		t.Fatalf("%d files, %v", len(files), err)
	}
	for _, path := range files {
		x, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if y, err := os.ReadFile(filepath.Join(b, filepath.Base(path))); err != nil || !bytes.Equal(x, y) {
			t.Errorf("%s differs the second time (%v)", path, err)
		}
	}
	valid := t.TempDir()
	call(t, 0, "gen", "-n", "5", "-valid", "-o", valid)
	paths, err := filepath.Glob(valid + "/*.elf")
	if err != nil {
		t.Fatal(err)
	}
	out, _ := call(t, 0, append([]string{"explain"}, paths...)...)
	if len(paths) != 5 || strings.Contains(out, "error") {
		t.Errorf("%d files\n%s", len(paths), out)
	}
}

func TestRules(t *testing.T) {
	if out, _ := call(t, 0, "rules"); !strings.Contains(out, "section/max") || strings.Count(out, "\n") < 100 {
		t.Error(out)
	}
}

func TestExplain(t *testing.T) {
	out, _ := call(t, 0, "explain", "../../corpus/files/B09-typedef-of-itself.elf", "../../corpus/files/S01-sh_size-162.elf")
	for _, want := range []string{"elf     ok", "elf     error: truncated", "sh_size"} {
		if !strings.Contains(out, want) {
			t.Errorf("no %q in\n%s", want, out)
		}
	}
}

func TestUsage(t *testing.T) {
	for _, args := range [][]string{nil, {"no"}, {"gen"}, {"gen", "-x"}, {"explain"}, {"minimize", "x"}, {"minimize", "-cmd", "true", "x"}, {"rules", "x"}} {
		if _, errOut := call(t, 2, args...); errOut == "" {
			t.Errorf("malgen %q says nothing", args)
		}
	}
	call(t, 1, "explain", "no such file")
}

// The test's own program stands for a parser that fails on files with "bad" in
// them: it is run again with this variable set.
func TestMain(m *testing.M) {
	if os.Getenv("MALGEN_PARSER") != "" {
		b, err := os.ReadFile(os.Args[1])
		if err != nil || bytes.Contains(b, []byte("bad")) {
			os.Exit(3)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

func TestMinimize(t *testing.T) {
	t.Setenv("MALGEN_PARSER", "1")
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "x.elf")
	if err := os.WriteFile(path, []byte(strings.Repeat("good", 10)+"bad"+strings.Repeat("good", 5)), 0o666); err != nil {
		t.Fatal(err)
	}
	out, _ := call(t, 0, "minimize", "-cmd", self+" @@", path)
	if got, err := os.ReadFile(path + ".min"); err != nil || string(got) != "bad" {
		t.Errorf("%q, %v\n%s", got, err, out)
	}
	if err := os.WriteFile(path, []byte("good"), 0o666); err != nil {
		t.Fatal(err)
	}
	call(t, 1, "minimize", "-cmd", self+" @@", path)
	call(t, 1, "minimize", "-cmd", "/no/such/program @@", path)
}

func TestMinimizeClears(t *testing.T) {
	got, err := minimize([]byte("abcdefgh"), func(b []byte) (bool, error) { return len(b) == 8 && b[3] == 'd', nil })
	if err != nil || string(got) != "\x00\x00\x00d\x00\x00\x00\x00" {
		t.Errorf("%q, %v", got, err)
	}
}
