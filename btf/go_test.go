package btf_test

import (
	"bytes"
	"go/ast"
	"go/parser"
	"go/token"
	"go/types"
	"path/filepath"
	"strings"
	"testing"

	"github.com/lode-bpf/lode/btf"
)

// What FormatGo prints for the kernel and for every object is Go, and has the
// layout of the BTF on machines with 32 and 64 bits.
func TestFormatGoCompiles(t *testing.T) {
	for _, path := range withKernel(objects(t)) {
		t.Run(filepath.Base(path), func(t *testing.T) {
			s := openBTF(t, path)
			if s == nil {
				return
			}
			var src bytes.Buffer
			if err := s.FormatGo(&src, btf.GoOptions{}); err != nil {
				t.Fatal(err)
			}
			fset := token.NewFileSet()
			f, err := parser.ParseFile(fset, "types.go", src.Bytes(), parser.ParseComments)
			if err != nil {
				t.Fatal(err)
			}
			pkg, err := new(types.Config).Check("types", fset, []*ast.File{f}, nil)
			if err != nil {
				t.Fatal(err)
			}
			for _, arch := range []string{"amd64", "386"} {
				checkGoLayout(t, s, f, pkg, types.SizesFor("gc", arch))
			}
		})
	}
}

// checkGoLayout compares the declared types with the BTF types that their
// comments name, if there is only one of that name.
func checkGoLayout(t *testing.T, s *btf.Spec, f *ast.File, pkg *types.Package, sizes types.Sizes) {
	t.Helper()
	checked := 0
	for _, d := range f.Decls {
		decl, ok := d.(*ast.GenDecl)
		if !ok || decl.Tok != token.TYPE {
			continue
		}
		words := strings.Fields(strings.TrimSuffix(decl.Doc.Text(), ".\n"))
		if len(words) != 4 || words[2] == "enum" {
			continue
		}
		typ, n := btf.Type{}, 0
		for c := range s.Named(words[3]) {
			if c.Kind() == btf.KindStruct || c.Kind() == btf.KindUnion {
				typ, n = c, n+1
			}
		}
		if n != 1 {
			continue
		}
		checked++
		got := pkg.Scope().Lookup(words[0]).Type().Underlying()
		if size := sizes.Sizeof(got); size != int64(typ.Size()) {
			t.Errorf("%s has %d bytes, want %d", words[0], size, typ.Size())
		}
		st := got.(*types.Struct)
		var fields []*types.Var
		for i := range st.NumFields() {
			fields = append(fields, st.Field(i))
		}
		offsets := map[string]int64{}
		for i, off := range sizes.Offsetsof(fields) {
			offsets[fields[i].Name()] = off
		}
		if typ.Kind() == btf.KindUnion {
			continue
		}
		names := map[string]int{}
		for _, m := range typ.Members() {
			names[goName(m.Name)]++
		}
		for _, m := range typ.Members() {
			if names[goName(m.Name)] > 1 {
				continue // which is which depends on what came first
			}
			if off, ok := offsets[goName(m.Name)]; ok && m.BitSize == 0 && off != int64(m.BitOffset/8) {
				t.Errorf("%s.%s is at %d, want %d", words[0], m.Name, off, m.BitOffset/8)
			}
		}
	}
	if s.NumTypes() > 100000 && checked < 5000 {
		t.Errorf("only %d types were compared", checked)
	}
}

// goName is the name of a field whose C name has nothing unusual.
func goName(name string) string {
	var b strings.Builder
	for _, part := range strings.Split(name, "_") {
		if part != "" {
			b.WriteString(strings.ToUpper(part[:1]) + part[1:])
		}
	}
	return b.String()
}
