package lode

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"strings"
	"testing"
)

// TestLoadIsOnlySteps holds the wrapper to its promise: load.go uses nothing of
// this package that another program could not use, but what it declares itself.
func TestLoadIsOnlySteps(t *testing.T) {
	fset := token.NewFileSet()
	pkgs, err := parser.ParseDir(fset, ".", func(i fs.FileInfo) bool { return !strings.HasSuffix(i.Name(), "_test.go") }, 0)
	if err != nil {
		t.Fatal(err)
	}
	const file = "load.go"
	hidden := map[string]bool{} // declared at the top of other files, not exported
	own := map[string]bool{}
	var load *ast.File
	for name, f := range pkgs["lode"].Files {
		if name == file {
			load = f
		}
		for _, d := range f.Decls {
			for _, id := range declared(d) {
				if name == file {
					own[id] = true
				} else if id != "_" && !ast.IsExported(id) {
					hidden[id] = true
				}
			}
		}
	}
	if load == nil {
		t.Fatalf("no %s here", file)
	}
	uses := 0
	ast.Inspect(load, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.SelectorExpr:
			uses++
			if !ast.IsExported(n.Sel.Name) && !own[n.Sel.Name] {
				t.Errorf("%s uses %s, which is not exported", fset.Position(n.Pos()), n.Sel.Name)
			}
		case *ast.Ident:
			if n.Name != "_" && hidden[n.Name] && !own[n.Name] && n.Obj == nil {
				t.Errorf("%s uses %s, which is not exported", fset.Position(n.Pos()), n.Name)
			}
		}
		return true
	})
	if uses == 0 {
		t.Error("nothing was looked at")
	}
}

// declared lists the names that a declaration adds to the package.
func declared(d ast.Decl) []string {
	var out []string
	switch d := d.(type) {
	case *ast.FuncDecl:
		return []string{d.Name.Name}
	case *ast.GenDecl:
		for _, s := range d.Specs {
			switch s := s.(type) {
			case *ast.TypeSpec:
				out = append(out, s.Name.Name)
			case *ast.ValueSpec:
				for _, n := range s.Names {
					out = append(out, n.Name)
				}
			}
		}
	}
	return out
}
