// Apilist compares the exported API of every package that users import with the
// lists in api/, so that a review shows each change of it:
//
//	go run ./internal/apilist -write    # after an intended change
//	go run ./internal/apilist           # fails if a list is not that of the code
package main

import (
	"bytes"
	"flag"
	"fmt"
	"go/ast"
	"go/doc"
	"go/parser"
	"go/printer"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

func main() {
	write := flag.Bool("write", false, "write the lists instead of comparing them")
	flag.Parse()
	if err := checkAll(*write); err != nil {
		fmt.Fprintln(os.Stderr, "apilist:", err)
		os.Exit(1)
	}
}

// checkAll checks every package that users import, and that there is no list of
// any other package.
func checkAll(write bool) error {
	lists, err := filepath.Glob(filepath.Join("api", "*.txt"))
	if err != nil {
		return err
	}
	for _, root := range []string{"signer", "csr", "cdn"} {
		err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
			switch {
			case err != nil || !entry.IsDir():
				return err
			case entry.Name() == "testdata" || entry.Name() == "internal":
				return fs.SkipDir
			}
			lists = slices.DeleteFunc(lists, func(list string) bool { return list == listOf(path) })
			return check(path, write)
		})
		if err != nil {
			return err
		}
	}
	if len(lists) > 0 {
		return fmt.Errorf("%s: there is no such package: if you removed it, remove the list", strings.Join(lists, ", "))
	}
	return nil
}

// listOf returns the path of the list of the package in a folder.
func listOf(folder string) string {
	return filepath.Join("api", strings.ReplaceAll(filepath.ToSlash(folder), "/", "-")+".txt")
}

// check compares the list of a package with its API, or writes it.
func check(folder string, write bool) error {
	api, err := list(folder)
	if err != nil {
		return err
	}
	path := listOf(folder)
	if write {
		return os.WriteFile(path, api, 0o644)
	}
	kept, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	if !bytes.Equal(kept, api) {
		const format = "%s differs from the API of %s: if that is intended, run go run ./internal/apilist -write"
		return fmt.Errorf(format, path, folder)
	}
	return nil
}

// list returns the exported declarations of a package, without comments, in the
// order of their names. Methods follow their types.
func list(folder string) ([]byte, error) {
	fset := token.NewFileSet()
	files, err := parse(fset, folder)
	if err != nil {
		return nil, err
	}
	pkg, err := doc.NewFromFiles(fset, files, folder)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", folder, err)
	}
	var out bytes.Buffer
	l := lister{fset: fset, out: &out}
	l.values(pkg.Consts, pkg.Vars)
	l.funcs(pkg.Funcs)
	for _, t := range pkg.Types {
		l.decl(t.Decl)
		l.values(t.Consts, t.Vars)
		l.funcs(t.Funcs, t.Methods)
	}
	return out.Bytes(), l.err
}

// parse reads the files of a package, without its tests and its comments.
func parse(fset *token.FileSet, folder string) ([]*ast.File, error) {
	paths, err := filepath.Glob(filepath.Join(folder, "*.go"))
	if err != nil {
		return nil, err
	}
	var files []*ast.File
	for _, path := range paths {
		if strings.HasSuffix(path, "_test.go") {
			continue
		}
		file, parseErr := parser.ParseFile(fset, path, nil, 0)
		if parseErr != nil {
			return nil, parseErr
		}
		files = append(files, file)
	}
	return files, nil
}

// A lister prints declarations until one can't be printed.
type lister struct {
	fset *token.FileSet
	out  *bytes.Buffer
	err  error
}

func (l *lister) decl(node ast.Node) {
	if l.err != nil {
		return
	}
	l.err = (&printer.Config{Mode: printer.UseSpaces | printer.TabIndent, Tabwidth: 8}).Fprint(l.out, l.fset, node)
	l.out.WriteString("\n")
}

func (l *lister) values(groups ...[]*doc.Value) {
	for _, group := range groups {
		for _, value := range group {
			l.decl(value.Decl)
		}
	}
}

func (l *lister) funcs(groups ...[]*doc.Func) {
	for _, group := range groups {
		for _, f := range group {
			f.Decl.Body = nil
			l.decl(f.Decl)
		}
	}
}
