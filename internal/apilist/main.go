// Command apilist compares the exported API of every package that users import
// with the lists in api, so that a change is seen in a review:
//
//	go run ./internal/apilist        fails if a list differs from the code
//	go run ./internal/apilist -write writes the lists, after an intended change
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

// checkAll checks the list of every package that users import, and that no
// other list exists.
func checkAll(write bool) error {
	lists, err := filepath.Glob(filepath.Join("api", "*.txt"))
	if err != nil {
		return err
	}
	for _, root := range []string{"signer", "csr", "cdn"} {
		folders, err := packages(root)
		if err != nil {
			return err
		}
		for _, folder := range folders {
			lists = slices.DeleteFunc(lists, func(list string) bool { return list == listOf(folder) })
			if err := check(folder, write); err != nil {
				return err
			}
		}
	}
	if len(lists) > 0 {
		return fmt.Errorf("no package has the lists %s: remove them", strings.Join(lists, ", "))
	}
	return nil
}

// packages returns the folders of the exported packages in root and below it. A
// folder without Go files, such as one of test data, is no package.
func packages(root string) (folders []string, err error) {
	err = filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil || !entry.IsDir():
			return err
		case entry.Name() == "testdata" || entry.Name() == "internal":
			return fs.SkipDir
		}
		files, err := sources(path)
		if len(files) > 0 {
			folders = append(folders, path)
		}
		return err
	})
	return folders, err
}

// listOf returns the path of the list of the package in a folder.
func listOf(folder string) string {
	return filepath.Join("api", strings.ReplaceAll(filepath.ToSlash(folder), "/", "-")+".txt")
}

// check compares the list of a package with its API, or writes the list.
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
		return fmt.Errorf("%s differs from the API of %s: -write updates it", path, folder)
	}
	return nil
}

// list returns the exported declarations of a package, formatted as by gofmt,
// sorted by name, methods below their types.
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

// sources returns the paths of a folder's Go files without tests.
func sources(folder string) ([]string, error) {
	paths, err := filepath.Glob(filepath.Join(folder, "*.go"))
	return slices.DeleteFunc(paths, func(path string) bool { return strings.HasSuffix(path, "_test.go") }), err
}

// parse parses the Go files of a folder, without comments.
func parse(fset *token.FileSet, folder string) ([]*ast.File, error) {
	paths, err := sources(folder)
	if err != nil {
		return nil, err
	}
	var files []*ast.File
	for _, path := range paths {
		file, parseErr := parser.ParseFile(fset, path, nil, 0)
		if parseErr != nil {
			return nil, parseErr
		}
		files = append(files, file)
	}
	return files, nil
}

// A lister prints declarations, until one fails.
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
