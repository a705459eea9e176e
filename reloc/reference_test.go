package reloc

import (
	"bufio"
	"bytes"
	"context"
	"encoding/hex"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/lode-bpf/lode/btf"
	"github.com/lode-bpf/lode/insn"
	"github.com/lode-bpf/lode/internal/ktest"
)

// reference is a program that shows what Debian's libbpf makes of an object; see
// testdata/reference.c. It is compiled once.
var reference struct {
	sync.Once
	path string
	err  error
}

// referencePath compiles the reference, or skips the test.
func referencePath(t testing.TB) string {
	t.Helper()
	cc := ktest.Tool(t, "gcc", "gcc")
	if _, err := os.Stat("/usr/include/bpf/libbpf.h"); err != nil {
		t.Skip("needs bpf/libbpf.h: apt-get install libbpf-dev")
	}
	reference.Do(func() {
		dir, err := os.MkdirTemp("", "lode-reference")
		if err != nil {
			reference.err = err
			return
		}
		reference.path = filepath.Join(dir, "reference")
		out, err := exec.Command(cc, "-O1", "-o", reference.path, "testdata/reference.c", "-lbpf").CombinedOutput()
		if err != nil {
			reference.err = fmt.Errorf("%w\n%s", err, out)
		}
	})
	if reference.err != nil {
		t.Skipf("testdata/reference.c does not compile here: %v", reference.err)
	}
	return reference.path
}

func TestMain(m *testing.M) {
	code := m.Run()
	if reference.path != "" {
		os.RemoveAll(filepath.Dir(reference.path))
	}
	os.Exit(code)
}

// A loaded is what libbpf made of an object.
type loaded struct {
	version int // major * 100 + minor
	maps    map[int32]string
	progs   map[string][]loadedProg // of a name as the kernel cuts it, in order
}

type loadedProg struct {
	insns        []insn.Instruction
	funcs, lines string // as info writes them
}

// runReference has libbpf load an object. It returns libbpf's complaint if it
// does not.
func runReference(t testing.TB, object, target string) (loaded, string) {
	t.Helper()
	args := []string{object}
	if target != "" {
		args = append(args, target)
	}
	var stderr bytes.Buffer
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, referencePath(t), args...)
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return loaded{}, err.Error() + "\n" + stderr.String()
	}
	l := loaded{maps: map[int32]string{}, progs: map[string][]loadedProg{}}
	sc := bufio.NewScanner(bytes.NewReader(out))
	sc.Buffer(nil, 16<<20)
	for sc.Scan() {
		f := strings.Fields(sc.Text())
		switch {
		case len(f) == 5 && f[0] == "prog":
			b, err := hex.DecodeString(f[2])
			if err != nil {
				t.Fatal(err)
			}
			code, err := insn.Decode(b, nativeOrder())
			if err != nil {
				t.Fatal(err)
			}
			l.progs[f[1]] = append(l.progs[f[1]], loadedProg{code, f[3], f[4]})
		case len(f) == 3 && f[0] == "version":
			var major, minor int
			fmt.Sscan(f[1]+" "+f[2], &major, &minor)
			l.version = 100*major + minor
		case len(f) == 3 && f[0] == "map":
			fd, err := strconv.Atoi(f[1])
			if err != nil {
				t.Fatal(err)
			}
			l.maps[int32(fd)] = f[2]
		case len(f) == 3 && f[0] == "jump":
			fd, err := strconv.Atoi(f[1])
			if err != nil {
				t.Fatal(err)
			}
			l.maps[int32(fd)] += "->" + f[2]
		}
	}
	return l, ""
}

// symbolic takes descriptors out of a program that libbpf made, and says where
// they were.
func (l loaded) symbolic(insns []insn.Instruction) (maps []string) {
	for i := range insns {
		if !insns[i].Op.IsWide() {
			continue
		}
		switch insns[i].Src() {
		case insn.PseudoMapFD, insn.PseudoMapValue:
			maps = append(maps, fmt.Sprintf("%d %s", i, l.maps[insns[i].Imm]))
			insns[i].Imm = 0
		}
	}
	return maps
}

// sameMap reports whether libbpf's name for a map stands for ours: names of
// data sections begin with the object's.
func sameMap(theirs, ours string) bool {
	i, name, _ := strings.Cut(theirs, " ")
	j, want, _ := strings.Cut(ours, " ")
	return i == j && (name == want || strings.HasPrefix(want, ".") && strings.HasSuffix(name, want) || strings.HasPrefix(want, name) && strings.HasPrefix(name, ".") || want == ".addr_space.1")
}

// mapName is a map's name; of a jump table, where it leads.
func mapName(p *Program, m MapRef) string {
	for _, t := range p.JumpTables {
		if t.Map == m.Map {
			var name []byte
			for _, at := range t.Targets {
				name = fmt.Appendf(name, "->%d", at)
			}
			return string(name)
		}
	}
	return m.Map
}

// info is a program's function and line info as the reference writes it.
func info(p *Program) []string {
	funcs, lines := []byte("f"), []byte("l")
	for _, f := range p.FuncInfo {
		funcs = fmt.Appendf(funcs, ",%d:%d", f.Index, f.TypeID)
	}
	for _, l := range p.Lines {
		lines = fmt.Appendf(lines, ",%d:%d", l.Index, l.LineCol)
	}
	return []string{string(funcs), string(lines)}
}

// compare checks that a program is what libbpf made of it; programs come in
// the order of the file. It reports whether libbpf loads it of itself.
func (l loaded) compare(t *testing.T, p *Program) bool {
	t.Helper()
	name := p.Name[:min(len(p.Name), 15)]
	if len(l.progs[name]) == 0 {
		return false
	}
	want := l.progs[name][0]
	l.progs[name] = l.progs[name][1:]
	theirs := l.symbolic(want.insns)
	ours := make([]string, len(p.Maps))
	for i, m := range p.Maps {
		ours[i] = fmt.Sprintf("%d %s", m.Index, mapName(p, m))
	}
	if diff := cmp.Diff(want.insns, p.Insns); diff != "" {
		t.Errorf("%s: differs from libbpf (-libbpf +ours):\n%s", p.Name, diff)
	}
	if diff := cmp.Diff([]string{want.funcs, want.lines}, info(p)); diff != "" {
		t.Errorf("%s: function and line info differ (-libbpf +ours):\n%s", p.Name, diff)
	}
	if len(theirs) != len(ours) {
		t.Errorf("%s: maps: libbpf has %q, we %q", p.Name, theirs, ours)
		return true
	}
	for i := range ours {
		if !sameMap(theirs[i], ours[i]) {
			t.Errorf("%s: map reference %d: libbpf has %q, we %q", p.Name, i, theirs[i], ours[i])
		}
	}
	return true
}

// limits are what libbpf 1.1 says of objects that it does not load: with them
// there is nothing to compare.
var limits = []string{
	"bad map relo against 'counter' in section '.addr_space.1'",  // no arenas
	"extern (func ksym) 'bpf_rcu_read_unlock___v2': not found",   // no flavours of kernel functions
	"legacy map definitions in 'maps' section are not supported", // since 1.0
	"bad map relo against 'state' in section 'lirc_mode2/maps'",  // maps of ir-keytable
	"is static and not supported",                                // functions in program sections
	"BTF is required, but is missing",                            // maps without types
	"unsupported map linkage static",                             // hidden maps
	"attach program FD is not set",                               // another program is to be given
	"bad map relo against 'BPF.JT.1.0' in section '.jumptables'", // no jump tables
	"failed to find BTF for extern",                              // halves of an object
}

func isLimit(complaint string) bool {
	return slices.ContainsFunc(limits, func(l string) bool { return strings.Contains(complaint, l) })
}

// TestSameAsLibbpf compares every program of every object in testdata, and of
// Debian's libxdp1, xdp-tools and libbpf-tools where they are installed,
// instruction by instruction, with what libbpf hands to the kernel.
func TestSameAsLibbpf(t *testing.T) {
	objects, err := filepath.Glob("../testdata/*.bpf.o")
	if err != nil || len(objects) == 0 {
		t.Fatal("no objects", err)
	}
	installed, err := filepath.Glob("/usr/lib/*/bpf/*.o")
	if err != nil {
		t.Fatal(err)
	}
	installed = append(installed, ktest.LibbpfTools(t)...)
	if _, err := os.Stat("/sys/kernel/btf/vmlinux"); err != nil {
		t.Skip("needs the kernel's BTF:", err)
	}
	referencePath(t)
	compared := 0
	for _, path := range append(objects, installed...) {
		name := strings.TrimSuffix(strings.TrimSuffix(filepath.Base(path), ".o"), ".bpf")
		t.Run(name, func(t *testing.T) {
			l, complaint := runReference(t, path, "")
			if isLimit(complaint) {
				return
			}
			if complaint != "" {
				t.Fatalf("libbpf does not load it, for a reason that is not in limits: %s", complaint)
			}
			b, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			o, err := parse(b)
			if err != nil {
				t.Fatal(err)
			}
			o.Env = runningEnv(t)
			r, err := Relocate(o.Input)
			if err != nil {
				t.Fatal(err)
			}
			for _, p := range r.Programs {
				if p.Err != nil {
					t.Errorf("%v", p.Err)
				}
				if name == "exceptions" && l.version < 104 {
					continue // it does not append what nothing calls
				}
				if l.compare(t, p) {
					compared++
				}
			}
		})
	}
	if compared < 20 {
		t.Errorf("only %d programs were compared", compared)
	}
	t.Logf("%d programs compared", compared)
}

// writeBTF writes raw BTF to a file for libbpf.
func writeBTF(t testing.TB, s *btf.Spec) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "target.btf")
	if err := os.WriteFile(path, s.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// TestCORESameAsMinCore relocates against the part of a target that bpftool
// keeps for an object (gen min_core_btf), and wants the same values: bpftool
// keeps what it thinks is used.
func TestCORESameAsMinCore(t *testing.T) {
	bpftool := ktest.Tool(t, "bpftool", "bpftool")
	o, full := against(t, "core_matrix", "core_target")
	small := filepath.Join(t.TempDir(), "small.btf")
	if out, err := exec.Command(bpftool, "gen", "min_core_btf", writeBTF(t, o.Target), small, "../testdata/core_matrix.bpf.o").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	raw, err := os.ReadFile(small)
	if err != nil {
		t.Fatal(err)
	}
	if o.Target, err = btf.Parse(raw, nil); err != nil {
		t.Fatal(err)
	}
	r, err := Relocate(o.Input)
	if err != nil {
		t.Fatal(err)
	}
	for i := range full.Decisions {
		want, got := &full.Decisions[i], &r.Decisions[i]
		switch {
		case want.Kind == btf.CORETypeIDTarget:
			continue // ids differ
		case want.Outcome == OutcomePoison && got.Outcome == OutcomePoison:
			continue // why may differ
		}
		if want.Outcome != got.Outcome || want.New != got.New || want.To != got.To {
			t.Errorf("%s\nwith bpftool's choice of types: %s", want, got.Verdict())
		}
	}
}
