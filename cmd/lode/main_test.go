package main

import (
	"context"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/lode-bpf/lode"
	"github.com/lode-bpf/lode/internal/ktest"
	"github.com/lode-bpf/lode/reloc"
)

var update = flag.Bool("update", false, "write what is printed now to the golden files")

// cli runs the command in this process.
func cli(args ...string) (status int, out, errOut string) {
	var o, e strings.Builder
	status = run(context.Background(), args, &o, &e)
	return status, o.String(), e.String()
}

func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatalf("%v; write it with go test -update", err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (go test -update writes it anew): -want +got:\n%s", path, diff)
	}
}

// recordedEnv is a file with a small kernel: the types of core_target.
func recordedEnv(t *testing.T) string {
	t.Helper()
	o, err := lode.Parse(ktest.Object(t, "core_target"), lode.ParseOptions{Name: "target"})
	if err != nil {
		t.Fatal(err)
	}
	r := reloc.Recorded{KernelBTF: o.BTF, HasModules: true, KernelVersion: 6<<16 | 1<<8, Architecture: "amd64"}
	b, err := r.Append(nil)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "kernel.env")
	if err := os.WriteFile(path, b, 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

// object is the path of a test object, relative so that it can stand in a
// golden file.
func object(t *testing.T, name string) string {
	t.Helper()
	path, err := filepath.Rel(".", "../../testdata/"+name)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(path); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestOutput(t *testing.T) {
	for name, args := range map[string][]string{
		"help.txt":               {},
		"help_load.txt":          {"load", "-h"},
		"inspect_counter.txt":    {"inspect", object(t, "counter.bpf.o")},
		"inspect_counter_be.txt": {"inspect", object(t, "counter.bpfeb.o")},
		"inspect_globals.txt":    {"inspect", object(t, "globals.bpf.o")},
		"inspect_ksyms.json":     {"inspect", "--json", object(t, "ksyms.bpf.o")},
		"inspect_irdecoder.txt":  {"inspect", object(t, "irdecoder.bpf.o")},
		"inspect_legacy.json":    {"inspect", "--json", object(t, "legacy.bpf.o")},
		"plan_counter.txt":       {"plan", "--pin-root", "/sys/fs/bpf/app", object(t, "counter.bpf.o")},
		"help_disasm.txt":        {"disasm", "--help"},
		"disasm_core.txt":        {"disasm", object(t, "core_matrix.bpf.o")},
		"disasm_target.txt":      {"disasm", "--env", recordedEnv(t), object(t, "core_matrix.bpf.o")},
		"disasm_llvm.txt":        {"disasm", "--style", "llvm", object(t, "counter.bpf.o"), "count_ipv4"},
		"disasm_be.txt":          {"disasm", "--style", "llvm", object(t, "minimal.bpfeb.o")},
		"disasm_minimal.json":    {"disasm", "--json", object(t, "minimal.bpf.o")},
		"plan_target.txt":        {"plan", "--env", recordedEnv(t), object(t, "core_matrix.bpf.o")},
		"plan_edited.txt":        {"plan", object(t, "counter.bpf.o"), "--only", "count_other", "--map", "packets.max_entries=0x10"},
		"env_show.txt":           {"env", "show", recordedEnv(t)},
		"env_show.json":          {"env", "show", "--json", recordedEnv(t)},
		"btf_c.txt":              {"btf", "dump", "--type", "count", object(t, "counter.bpf.o")},
		"btf_go.txt":             {"btf", "dump", "--type", "count", "--format", "go", object(t, "counter.bpf.o")},
		"btf_raw.txt":            {"btf", "dump", "--format", "raw", object(t, "minimal.bpf.o")},
		"btf.json":               {"btf", "dump", "--format", "json", object(t, "minimal.bpf.o")},
		"btf_find.txt":           {"btf", "find", "count", "--in", object(t, "counter.bpf.o")},
		"btf_find.json":          {"btf", "find", "count", "--json", "--in", object(t, "counter.bpf.o")},
		"core.txt":               {"core", "--details", object(t, "core.bpf.o"), object(t, "counter.bpf.o"), "--btf", object(t, "core.bpf.o")},
		"help_map_update.txt":    {"help", "map", "update"},
		"completion_bash.txt":    {"completion", "bash"},
		"completion_zsh.txt":     {"completion", "zsh"},
		"completion_fish.txt":    {"completion", "fish"},
		"conf_show.txt":          {"conf", "show", "--config", "../../docs/pinning.conf"},
		"conf_show.json":         {"conf", "show", "--json", "--config", "testdata/empty.conf"},
		"conf_check.txt":         {"conf", "check", "../../docs/pinning.conf"},
		"features_diff.txt":      {"features", "--diff", "testdata/old.features", "testdata/new.features"},
		"features_diff.json":     {"features", "--json", "--diff", "testdata/old.features", "testdata/new.features"},
		"plan_only.txt":          {"plan", object(t, "counter.bpf.o"), "--only", "count_ipv4"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Setenv("LODE_PINNING_CONF", filepath.Join("testdata", "empty.conf"))
			status, out, errOut := cli(args...)
			if status != 0 || errOut != "" {
				t.Fatalf("status %d, %s", status, errOut)
			}
			golden(t, name, out)
		})
	}
}

// TestBadInput is one sentence for each wrong file, with the file, the fault and
// what to do; nothing else is printed.
func TestBadInput(t *testing.T) {
	dir := t.TempDir()
	write := func(name string, b []byte) string {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, b, 0o644); err != nil {
			t.Fatal(err)
		}
		return path
	}
	counter := ktest.Object(t, "counter")
	foreign := append([]byte(nil), counter...)
	foreign[18] = 62 // EM_X86_64
	for name, c := range map[string]struct {
		args   []string
		status int
		want   []string
	}{
		"no such file":        {[]string{"plan", "/nonexistent.o"}, 1, []string{"/nonexistent.o", "no such file"}},
		"a directory":         {[]string{"plan", dir}, 1, []string{dir, "directory"}},
		"empty":               {[]string{"plan", write("empty.o", nil)}, 1, []string{"empty.o", "truncated"}},
		"not ELF":             {[]string{"inspect", write("text.o", []byte("#!/bin/sh\n"))}, 1, []string{"text.o", "not an ELF file"}},
		"cut":                 {[]string{"inspect", write("cut.o", counter[:1000])}, 1, []string{"cut.o"}},
		"another machine":     {[]string{"plan", write("x86.o", foreign)}, 1, []string{"x86.o", "EM_X86_64", "clang -target bpf"}},
		"no BTF":              {[]string{"plan", object(t, "nobtf.bpf.o")}, 1, []string{"nobtf.bpf.o", "no BTF", "-g"}},
		"legacy, not allowed": {[]string{"plan", "--legacy", "never", object(t, "legacy.bpf.o")}, 1, []string{"legacy.bpf.o", `"maps"`}},
		"bad configuration":   {[]string{"plan", "--config", write("c.conf", []byte("root /etc\n")), object(t, "counter.bpf.o")}, 1, []string{"c.conf:1:6"}},
		"no such program":     {[]string{"plan", "--only", "nothing", object(t, "counter.bpf.o")}, 1, []string{`program "nothing"`}},
		"no file":             {[]string{"load"}, 2, []string{"usage: lode load"}},
		"two files":           {[]string{"plan", "a", "b"}, 2, []string{"one file"}},
		"unknown flag":        {[]string{"load", "--fast", "x"}, 2, []string{"-fast"}},
		"unknown command":     {[]string{"laod"}, 2, []string{`"laod"`}},
		"no such style":       {[]string{"disasm", "--style", "intel", object(t, "counter.bpf.o")}, 2, []string{"verifier or llvm"}},
		"no such function":    {[]string{"disasm", object(t, "counter.bpf.o"), "x\n"}, 1, []string{`program "x\n"`}},
		"not an environment":  {[]string{"disasm", "--env", object(t, "counter.bpf.o"), object(t, "counter.bpf.o")}, 1, []string{"counter.bpf.o", "lode env record"}},
		"set nothing":         {[]string{"plan", "--set", "nothing=1", object(t, "globals.bpf.o")}, 1, []string{`variable "nothing"`}},
		"set without value":   {[]string{"plan", "--set", "x", object(t, "globals.bpf.o")}, 2, []string{"VARIABLE=VALUE"}},
		"no such map":         {[]string{"plan", "--map", "x.max_entries=1", object(t, "globals.bpf.o")}, 1, []string{`map "x"`}},
		"no such attribute":   {[]string{"plan", "--map", "packets.size=1", object(t, "counter.bpf.o")}, 2, []string{"NAME.max_entries=N"}},
		"no type":             {[]string{"load", object(t, "legacy_short.bpf.o")}, 1, []string{`program "measure"`, "--type xdp"}},
		"no such type":        {[]string{"plan", "--type", "xpd", object(t, "counter.bpf.o")}, 2, []string{`program type "xpd"`}},
		"no kernels":          {[]string{"core", "--btf", write("kernels/.keep", nil), object(t, "core.bpf.o")}, 1, []string{"kernels/.keep"}},
		"empty directory":     {[]string{"core", "--btf", t.TempDir(), object(t, "core.bpf.o")}, 1, []string{"no file in this directory"}},
		"no types":            {[]string{"btf", "dump", object(t, "nobtf.bpf.o")}, 1, []string{"nobtf.bpf.o", "no BTF"}},
		"no such module":      {[]string{"btf", "dump", "nonsense"}, 1, []string{"nonsense", "module of that name"}},
		"not types":           {[]string{"btf", "dump", object(t, "core.bpf.c")}, 1, []string{"core.bpf.c"}},
		"no such named type":  {[]string{"btf", "dump", "--type", "gone", object(t, "counter.bpf.o")}, 1, []string{`no type "gone"`}},
		"type not found":      {[]string{"btf", "find", "gone", "--in", object(t, "counter.bpf.o")}, 1, []string{`no type "gone"`}},
		"no such format":      {[]string{"btf", "dump", "--format", "xml", object(t, "counter.bpf.o")}, 2, []string{"c, go, raw or json"}},
		"nothing to write":    {[]string{"btf", "min", "vmlinux"}, 2, []string{"-o FILE"}},
		"not a recording":     {[]string{"env", "show", object(t, "core.bpf.c")}, 1, []string{"core.bpf.c", "lode env record"}},
		"no such shell":       {[]string{"completion", "tcsh"}, 2, []string{"bash, zsh and fish"}},
		"half a command":      {[]string{"map", "dmup"}, 2, []string{`"map dmup"`, "map dump"}},
		"check a bad file":    {[]string{"conf", "check", write("d.conf", []byte("\nroot /etc\n"))}, 1, []string{"d.conf:2:6"}},
		"check nothing":       {[]string{"conf", "check", "/nonexistent"}, 1, []string{"/nonexistent"}},
		"not features":        {[]string{"features", "--diff", object(t, "core.bpf.c"), "testdata/old.features"}, 1, []string{"core.bpf.c", "lode features"}},
		"not hexadecimal":     {[]string{"prog", "run", "--data", "hex:x", "1"}, 2, []string{"hexadecimal"}},
		"no pin":              {[]string{"map", "show"}, 2, []string{"one map"}},
		"verify: no type":     {[]string{"verify", "--type", "xpd", "x"}, 2, []string{`program type "xpd"`}},
		"verify: no time":     {[]string{"verify", "--limit", "0s", "x"}, 2, []string{"no time"}},
		"wrong choice":        {[]string{"plan", "--legacy", "maybe", "x"}, 2, []string{"auto, never or only"}},
		"relative pin root":   {[]string{"plan", "--pin-root", "x", object(t, "counter.bpf.o")}, 2, []string{"absolute"}},
		"map dump of nothing": {[]string{"map", "dump"}, 2, []string{"usage: lode map dump"}},
	} {
		t.Run(name, func(t *testing.T) {
			status, out, errOut := cli(c.args...)
			if status != c.status || out != "" {
				t.Errorf("status %d, want %d; standard output %q", status, c.status, out)
			}
			for _, w := range c.want {
				if !strings.Contains(errOut, w) {
					t.Errorf("the message lacks %q:\n%s", w, errOut)
				}
			}
			if status == 1 && strings.Count(strings.TrimSpace(errOut), "\n") > 0 {
				t.Errorf("the message has more than one line:\n%s", errOut)
			}
		})
	}
}

// TestKernelRoundTrip loads, dumps and unloads as a person would.
func TestKernelRoundTrip(t *testing.T) {
	counter := ktest.LoadablePath(t, "counter")
	root := filepath.Join(ktest.BPFFS(t), "app")
	ktest.NoFDLeaks(t)
	must := func(args ...string) string {
		t.Helper()
		status, out, errOut := cli(args...)
		if status != 0 {
			t.Fatalf("lode %q: status %d\n%s", args, status, errOut)
		}
		return out
	}
	out := must("load", "--pin-root", root, counter)
	for _, want := range []string{"created  " + root + "/packets", root + "/counter-programs/count", "lode map dump " + root + "/packets", "lode unload " + root} {
		if !strings.Contains(out, want) {
			t.Errorf("load does not print %q:\n%s", want, out)
		}
	}
	if out := must("load", "--pin-root", root, counter); !strings.Contains(out, "reused ") {
		t.Errorf("the second load does not say that it reused a map:\n%s", out)
	}
	if out := must("map", "dump", root+"/packets"); strings.TrimSpace(out) != "[\n]" {
		t.Errorf("dump of an empty map: %q", out)
	}
	status, _, errOut := cli("load", "--pin-root", root, object(t, "conflict.bpf.o"))
	if status != 1 || !strings.Contains(errOut, "value size: defined as 8, existing is 16") {
		t.Errorf("a conflicting definition: status %d, %s", status, errOut)
	}
	out = must("unload", root)
	if strings.Count(out, "removed ") != 6 {
		t.Errorf("unload:\n%s", out)
	}
	if _, err := os.Lstat(root); !os.IsNotExist(err) {
		t.Errorf("the directory is still there (%v)", err)
	}
	if status, _, errOut := cli("load", "--pin-root", filepath.Join(t.TempDir(), "x"), counter); status != 1 || !strings.Contains(errOut, "not in a bpffs") {
		t.Errorf("a pin root that is not in a bpffs: status %d, %s", status, errOut)
	}
}

// TestKernelRejected shows what a person needs of a program that the verifier
// refuses: the source line, the register, the reason.
func TestKernelRejected(t *testing.T) {
	ktest.Root(t)
	status, _, errOut := cli("load", object(t, "rejected.bpf.o"))
	if status != 1 {
		t.Fatalf("status %d", status)
	}
	for _, want := range []string{`program "unchecked"`, "rejected.bpf.c:28", "map_value_or_null"} {
		if !strings.Contains(errOut, want) {
			t.Errorf("the message lacks %q:\n%s", want, errOut)
		}
	}
}
