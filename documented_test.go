package authcompat

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestExportedNamesAreDocumented checks that every exported name has a comment: its
// own, that of its line, or that of its group. A method that implements an interface
// says so.
func TestExportedNamesAreDocumented(t *testing.T) {
	files := token.NewFileSet()
	err := filepath.WalkDir(".", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || filepath.Ext(path) != ".go" || strings.HasSuffix(path, "_test.go") {
			return err
		}
		file, err := parser.ParseFile(files, path, nil, parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		for _, name := range undocumented(file) {
			t.Errorf("%s: %s has no comment", files.Position(name.Pos()), name.Name)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// undocumented gives the exported names of a file that have no comment.
func undocumented(file *ast.File) (names []*ast.Ident) {
	add := func(all ...*ast.Ident) {
		for _, name := range all {
			if name.IsExported() {
				names = append(names, name)
			}
		}
	}
	for _, declaration := range file.Decls {
		switch d := declaration.(type) {
		case *ast.FuncDecl:
			if d.Doc == nil && exportedReceiver(d) {
				add(d.Name)
			}
		case *ast.GenDecl:
			for _, spec := range d.Specs {
				switch s := spec.(type) {
				case *ast.TypeSpec:
					if d.Doc == nil && s.Doc == nil && s.Comment == nil {
						add(s.Name)
					}
				case *ast.ValueSpec:
					if d.Doc == nil && s.Doc == nil && s.Comment == nil {
						add(s.Names...)
					}
				}
			}
		}
	}
	return names
}

// exportedReceiver tells whether a function is none of an unexported type's.
func exportedReceiver(d *ast.FuncDecl) bool {
	if d.Recv == nil {
		return true
	}
	receiver := d.Recv.List[0].Type
	if star, ok := receiver.(*ast.StarExpr); ok {
		receiver = star.X
	}
	if generic, ok := receiver.(*ast.IndexExpr); ok {
		receiver = generic.X
	}
	name, ok := receiver.(*ast.Ident)
	return ok && name.IsExported()
}

// TestSchemaNumbersAreDocumented compares the numbers of the schemas that docs/operations.md names with the last migrations.
func TestSchemaNumbersAreDocumented(t *testing.T) {
	last := func(store string) (number int) {
		names, err := filepath.Glob(filepath.Join("store", store, "migrations", "*.sql"))
		if err != nil || len(names) == 0 {
			t.Fatal(names, err)
		}
		if _, err := fmt.Sscanf(filepath.Base(names[len(names)-1]), "%d_", &number); err != nil {
			t.Fatal(err)
		}
		return number
	}
	text, err := os.ReadFile(filepath.Join("docs", "operations.md"))
	if err != nil {
		t.Fatal(err)
	}
	if want := fmt.Sprintf("(now %d on SQLite, %d on PostgreSQL)", last("sqlite"), last("postgres")); !strings.Contains(string(text), want) {
		t.Errorf("docs/operations.md does not have %q", want)
	}
}
