package docs_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

var (
	link    = regexp.MustCompile(`\]\(([^)\s]+)\)`)
	quoted  = regexp.MustCompile("`([^`]+)`")
	named   = regexp.MustCompile(`^([a-z0-9]+)\.([A-Z]\w*)(?:\.([A-Z]\w*))?$`)
	example = regexp.MustCompile(`^(Example|Fuzz)\w+$`)
	inPath  = regexp.MustCompile(`^[\w.-]+(/[\w.-]+)*/?$`)
)

// TestLinks follows every relative link, and the heading behind its '#'.
func TestLinks(t *testing.T) {
	all := pages(t)
	for name, lines := range all {
		for i, line := range prose(lines) {
			for _, m := range link.FindAllStringSubmatch(line, -1) {
				target, heading, _ := strings.Cut(m[1], "#")
				if strings.Contains(target, "://") || strings.HasPrefix(target, "mailto:") {
					continue
				}
				file := name
				if target != "" {
					file = filepath.Join(filepath.Dir(name), target)
				}
				if _, err := os.Stat(file); err != nil {
					t.Errorf("%s:%d: %v", name, i+1, err)
				} else if heading != "" && !slices.Contains(headings(all[file]), heading) {
					t.Errorf("%s:%d: %s has no heading %q", name, i+1, file, heading)
				}
			}
		}
	}
}

// headings are the anchors of a page.
func headings(lines []string) []string {
	var out []string
	for _, line := range prose(lines) {
		if strings.HasPrefix(line, "#") {
			text := strings.ToLower(strings.TrimSpace(strings.TrimLeft(line, "#")))
			out = append(out, strings.Map(func(r rune) rune {
				switch {
				case r == ' ':
					return '-'
				case r == '-' || r == '_' || r >= 'a' && r <= 'z' || r >= '0' && r <= '9' || r > 127:
					return r
				}
				return -1
			}, text))
		}
	}
	return out
}

// TestNames looks for everything that README.md, ARCHITECTURE.md and the pages of this folder name in backquotes: a path has to
// be one, from the top (NAME in it stands for any); package.Name an exported identifier of that package, Name.Field one of its
// fields or methods; a word that begins with Example or Fuzz a function in a test.
func TestNames(t *testing.T) {
	decls := declarations(t)
	for name, lines := range pages(t) {
		if d := filepath.Dir(name); d != top && d != top+"/docs" {
			continue
		}
		for i, line := range prose(lines) {
			for _, m := range quoted.FindAllStringSubmatch(line, -1) {
				if !known(decls, m[1]) {
					t.Errorf("%s:%d: there is no %s", name, i+1, m[1])
				}
			}
		}
	}
}

// known tells whether a word means something that exists, or is not of a kind that can be looked up.
func known(decls map[string]bool, word string) bool {
	switch m := named.FindStringSubmatch(word); {
	case m != nil && packages[m[1]] != "" && strings.HasPrefix(packages[m[1]], module):
		return decls[word]
	case example.MatchString(word):
		return decls[word]
	case !inPath.MatchString(word) || strings.Contains(word, "NAME"):
		return true
	case strings.HasPrefix(word, "testdata/fuzz"): // of any package
		return true
	}
	first, _, below := strings.Cut(word, "/")
	if _, err := os.Stat(filepath.Join(top, first)); !strings.HasSuffix(word, ".go") && (!below || err != nil) {
		return true
	}
	_, err := os.Stat(filepath.Join(top, word))
	return err == nil
}

// declarations are the exported identifiers and methods of every package, as package.Name, and the names of examples.
func declarations(t *testing.T) map[string]bool {
	out := map[string]bool{}
	err := filepath.WalkDir(top, func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(name, ".go") {
			return err
		}
		f, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		for _, n := range declared(f) {
			if strings.HasSuffix(name, "_test.go") {
				out[n] = true
			} else {
				out[f.Name.Name+"."+n] = true
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// declared lists what a file declares: names, and Type.Method and Type.Field.
func declared(f *ast.File) []string {
	var out []string
	for _, d := range f.Decls {
		switch d := d.(type) {
		case *ast.FuncDecl:
			out = append(out, receiver(d)+d.Name.Name)
		case *ast.GenDecl:
			for _, s := range d.Specs {
				switch s := s.(type) {
				case *ast.TypeSpec:
					out = append(out, s.Name.Name)
					if st, ok := s.Type.(*ast.StructType); ok {
						for _, field := range st.Fields.List {
							for _, id := range field.Names {
								out = append(out, s.Name.Name+"."+id.Name)
							}
						}
					}
				case *ast.ValueSpec:
					for _, id := range s.Names {
						out = append(out, id.Name)
					}
				}
			}
		}
	}
	return out
}

// receiver is "Type." for a method, else empty.
func receiver(d *ast.FuncDecl) string {
	if d.Recv == nil {
		return ""
	}
	x := d.Recv.List[0].Type
	if s, ok := x.(*ast.StarExpr); ok {
		x = s.X
	}
	switch g := x.(type) {
	case *ast.IndexExpr:
		x = g.X
	case *ast.IndexListExpr:
		x = g.X
	}
	if id, ok := x.(*ast.Ident); ok {
		return id.Name + "."
	}
	return ""
}
