package docs_test

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// packages are what a fragment may name without importing it.
var packages = map[string]string{
	"lode": module, "iproute2": module + "/compat/iproute2", "static": module + "/reloc/static",
	"context": "context", "binary": "encoding/binary", "errors": "errors", "fmt": "fmt", "log": "log", "os": "os",
	"strings": "strings", "slices": "slices", "bytes": "bytes", "filepath": "path/filepath", "testing": "testing", "time": "time",
	"rand": "math/rand/v2", "net": "net", "unix": "golang.org/x/sys/unix",
}

const module = "github.com/lode-bpf/lode"

func init() {
	for _, name := range []string{"elf", "btf", "insn", "conf", "sys", "reloc", "maps", "prog", "pin", "link", "kconfig", "fuzz"} {
		packages[name] = module + "/" + name
	}
	for _, name := range []string{"gen", "mutate", "oracle", "corpus"} {
		packages[name] = module + "/fuzz/" + name
	}
}

// TestCode compiles every Go block of README.md and of this folder. A block that begins with "package" is a file of its own;
// any other is the inside of a function that has the parameters ctx and kernel, and may name the packages above. A comment
// <!-- go: NAME TYPE, ... --> above a block gives it more parameters.
func TestCode(t *testing.T) {
	tool := goTool(t)
	dir := t.TempDir()
	var fragments []string
	for name, lines := range pages(t) {
		if d := filepath.Dir(name); d != top && d != top+"/docs" || name == guide {
			continue
		}
		for _, b := range blocks(lines) {
			if b.info != "go" {
				continue
			}
			at := fmt.Sprintf("%s:%d", name, b.line)
			file := filepath.Join(dir, fmt.Sprintf("page%s_%d.go", strings.NewReplacer(".", "", "/", "_").Replace(name), b.line))
			if strings.HasPrefix(b.text, "package ") {
				write(t, file, b.text)
				compile(t, tool, at, file)
				continue
			}
			write(t, file, fragment(t, at, b, len(fragments)))
			fragments = append(fragments, file)
		}
	}
	if len(fragments) > 0 {
		compile(t, tool, "fragments", fragments...)
	}
}

// fragment makes a file of a block.
func fragment(t *testing.T, at string, b block, number int) string {
	params := "ctx context.Context, kernel sys.Kernel"
	if more, ok := strings.CutPrefix(b.mark, "go:"); ok {
		params += ", " + strings.TrimSpace(more)
	}
	body := fmt.Sprintf("func fragment%d(%s) error {\n//line %s\n%s%s\nreturn nil\n}\n", number, params, at, b.text, used(t, at, b.text))
	return "package fragments\n\n" + imports(t, at, body) + body
}

// used makes uses of the variables that a block declares: a page need not go on with all of them.
func used(t *testing.T, at, text string) string {
	var out strings.Builder
	for _, stmt := range parse(t, at, "package p\nfunc f() {\n"+text+"\n}\n").Decls[0].(*ast.FuncDecl).Body.List {
		if s, ok := stmt.(*ast.AssignStmt); ok && s.Tok == token.DEFINE {
			for _, e := range s.Lhs {
				if id := e.(*ast.Ident); id.Name != "_" {
					fmt.Fprintf(&out, "_ = %s\n", id.Name)
				}
			}
		}
	}
	return out.String()
}

// imports writes the import declaration that a file without one needs.
func imports(t *testing.T, at, body string) string {
	var need []string
	f := parse(t, at, "package p\n"+body)
	ast.Inspect(f, func(n ast.Node) bool {
		if s, ok := n.(*ast.SelectorExpr); ok {
			if id, ok := s.X.(*ast.Ident); ok && slices.Contains(f.Unresolved, id) && packages[id.Name] != "" {
				need = append(need, fmt.Sprintf("%q", packages[id.Name]))
			}
		}
		return true
	})
	slices.Sort(need)
	return "import (\n" + strings.Join(slices.Compact(need), "\n") + "\n)\n"
}

func parse(t *testing.T, at, text string) *ast.File {
	t.Helper()
	f, err := parser.ParseFile(token.NewFileSet(), at, text, 0)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// goTool is the command that compiles.
func goTool(t *testing.T) string {
	tool, err := exec.LookPath("go")
	if err != nil {
		t.Skip("compiling the code of the pages needs the go command in PATH")
	}
	return tool
}

func write(t *testing.T, name, text string) {
	t.Helper()
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// compile compiles files as one package of this module.
func compile(t *testing.T, tool, what string, files ...string) {
	t.Helper()
	c := exec.Command(tool, append([]string{"build", "-o", os.DevNull}, files...)...)
	c.Dir = top
	if out, err := c.CombinedOutput(); err != nil {
		t.Errorf("%s: %v\n%s", what, err, out)
	}
}
