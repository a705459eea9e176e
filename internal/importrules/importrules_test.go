package importrules

import (
	"bytes"
	"encoding/json"
	"errors"
	"go/parser"
	"go/token"
	"io"
	"os/exec"
	"path"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const (
	module  = "github.com/lode-bpf/lode"
	xsys    = "golang.org/x/sys/unix"
	wrap    = "github.com/pkg/errors"
	gocmp   = "github.com/google/go-cmp/cmp"
	cmpopts = "github.com/google/go-cmp/cmp/cmpopts"

	// public stands for every package of this module outside of internal folders, but for commands.
	public = "public"
)

// rules says what the code of a package may import besides the standard library: own packages by their folder, "." for
// the root. A folder without a row has that of the nearest folder above it. insn and sys both need the table of helper
// functions and neither may import the other, so it is a package of its own that imports nothing.
var rules = map[string][]string{
	"elf":                  {},
	"elf/inflate":          {"elf"},
	"btf":                  {"elf"},
	"insn":                 {"internal/helpers"},
	"conf":                 {},
	"kconfig":              {},
	"sys":                  {"internal/helpers", xsys},
	"sys/internal":         {"btf", "elf", "sys/internal/gen"},
	"reloc":                {"elf", "btf", "insn"},
	"maps":                 {"elf", "btf", "sys"},
	"prog":                 {"elf", "btf", "insn", "sys"},
	"pin":                  {"sys", "conf"},
	"link":                 {"sys"},
	".":                    {"elf", "btf", "insn", "conf", "sys", "reloc", "maps", "prog", "pin", "link", wrap},
	"compat":               {public},
	"cmd":                  {public},
	"fuzz":                 {public},
	"internal/helpers":     {},
	"internal/ktest":       {xsys},
	"internal/vmtest":      {xsys},
	"internal/importrules": {},
	"internal/realobjects": {},
	"internal/size":        {},
	"docs":                 {},
}

// Modules that this one may require, and nothing else ever.
var modules = []string{"github.com/google/go-cmp", "github.com/pkg/errors", "golang.org/x/sys"}

// heavy are packages of the standard library that must not be on the way to a load: they make programs large, add flags
// to the command line of whoever imports them, or run other programs. A name that ends in "/" is a folder.
var heavy = []string{
	"compress/", "encoding/xml", "flag", "go/", "html/", "log/slog", "net/http", "os/exec", "plugin", "testing", "text/template",
}

// A pkg is what `go list -json` says of a package. The lists of imports are those of its files, direct ones only; Deps is
// everything that its code needs.
type pkg struct {
	ImportPath                         string
	Imports, TestImports, XTestImports []string
	Deps                               []string
}

func (p pkg) folder() string {
	if p.ImportPath == module {
		return "."
	}
	return strings.TrimPrefix(p.ImportPath, module+"/")
}

func TestImports(t *testing.T) {
	for _, p := range list(t) {
		folder := p.folder()
		allowed, ok := rule(folder)
		if !ok {
			t.Errorf("package %s has no row in the table of rules", folder)
			continue
		}
		for _, imported := range p.Imports {
			if !allows(allowed, imported) {
				t.Errorf("package %s imports %s; it may import the standard library and %v", folder, imported, allowed)
			}
		}
		for _, imported := range slices.Concat(p.TestImports, p.XTestImports) {
			if !own(imported) && !standard(imported) && !slices.Contains([]string{gocmp, cmpopts, xsys}, imported) &&
				!allows(allowed, imported) {
				t.Errorf("tests of package %s import %s", folder, imported)
			}
		}
	}
}

// Wrapping with a stack happens once, at the boundary of the facade, in few files.
func TestFilesThatWrap(t *testing.T) {
	out, err := exec.Command("go", "list", "-f", `{{range .GoFiles}}{{$.Dir}}/{{.}}{{"\n"}}{{end}}`, module).Output()
	if err != nil {
		t.Fatal(err)
	}
	var files []string
	for _, name := range strings.Fields(string(out)) {
		if imports := fileImports(t, name); slices.Contains(imports, wrap) {
			files = append(files, path.Base(name))
		}
	}
	if len(files) > 3 {
		t.Errorf("%s is imported by %v; 3 files at most", wrap, files)
	}
}

func TestNothingHeavyOnTheWayToALoad(t *testing.T) {
	for _, p := range list(t) {
		folder := p.folder()
		if !slices.Contains([]string{".", "maps", "prog", "pin", "link", "sys"}, folder) {
			continue
		}
		for _, dep := range p.Deps {
			for _, h := range heavy {
				if dep == h || strings.HasSuffix(h, "/") && strings.HasPrefix(dep, h) {
					t.Errorf("package %s needs %s", folder, dep)
				}
			}
		}
	}
}

// The offline packages need no system call and no module but this one.
func TestOfflinePackages(t *testing.T) {
	for _, p := range list(t) {
		if !slices.Contains([]string{"elf", "btf", "insn", "conf", "reloc"}, p.folder()) {
			continue
		}
		for _, dep := range p.Deps {
			if strings.Contains(strings.Split(dep, "/")[0], ".") && !own(dep) || dep == module+"/sys" {
				t.Errorf("package %s needs %s", p.folder(), dep)
			}
		}
	}
}

func TestModules(t *testing.T) {
	out, err := exec.Command("go", "list", "-m", "-f", "{{if not .Main}}{{.Path}}{{end}}", "all").Output()
	if err != nil {
		t.Fatal(err)
	}
	got := strings.Fields(string(out))
	slices.Sort(got)
	if diff := cmp.Diff(modules, got); diff != "" {
		t.Errorf("required modules, -want +got:\n%s", diff)
	}
}

// fileImports returns what one file imports.
func fileImports(t *testing.T, name string) []string {
	t.Helper()
	f, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.ImportsOnly)
	if err != nil {
		t.Fatal(err)
	}
	var paths []string
	for _, i := range f.Imports {
		paths = append(paths, strings.Trim(i.Path.Value, `"`))
	}
	return paths
}

// rule returns the row for a folder.
func rule(folder string) ([]string, bool) {
	for dir := folder; ; dir = path.Dir(dir) {
		if allowed, ok := rules[dir]; ok && (dir != "." || folder == ".") {
			return allowed, true
		}
		if dir == "." {
			return nil, false
		}
	}
}

func allows(allowed []string, imported string) bool {
	if standard(imported) {
		return true
	}
	if !own(imported) {
		return slices.Contains(allowed, imported)
	}
	folder := pkg{ImportPath: imported}.folder()
	if slices.Contains(allowed, public) {
		return !slices.Contains(strings.Split(folder, "/"), "internal") && !strings.HasPrefix(folder, "cmd/")
	}
	return slices.Contains(allowed, folder)
}

func own(imported string) bool { return imported == module || strings.HasPrefix(imported, module+"/") }

// standard reports whether a path is of the standard library: its first element has no dot.
func standard(imported string) bool { return !strings.Contains(strings.Split(imported, "/")[0], ".") }

// list returns all packages of the module, as they are on Linux.
func list(t *testing.T) []pkg {
	t.Helper()
	c := exec.Command("go", "list", "-e", "-json=ImportPath,Imports,TestImports,XTestImports,Deps", module+"/...")
	c.Env = append(c.Environ(), "GOOS=linux", "GOARCH=amd64")
	var messages bytes.Buffer
	c.Stderr = &messages
	out, err := c.Output()
	if err != nil {
		t.Fatalf("go list: %v\n%s", err, messages.String())
	}
	var all []pkg
	for d := json.NewDecoder(bytes.NewReader(out)); ; {
		var p pkg
		if err := d.Decode(&p); errors.Is(err, io.EOF) {
			return all
		} else if err != nil {
			t.Fatal(err)
		}
		all = append(all, p)
	}
}
