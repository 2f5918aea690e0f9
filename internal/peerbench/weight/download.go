package main

import (
	"archive/zip"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"unicode"
)

// A download counts the bytes that are downloaded for a program.
type download struct {
	all  int64
	own  int64 // the part of the library that the program requires: its zip
	idna int64 // the part of golang.org/x/net and x/text
}

// downloaded counts the zips, go.mod files and version files in the module
// cache, and this library's zip if module is this library.
func (shop workshop) downloaded(module string) (d download, err error) {
	root := shop.path(filepath.Join("modcache", "cache", "download"))
	err = filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) && path == root {
			return nil // nothing was downloaded
		}
		if err != nil || entry.IsDir() {
			return err
		}
		info, err := entry.Info()
		if err != nil {
			return err
		}
		d.add(filepath.ToSlash(path[len(root):]), info.Size(), module)
		return nil
	})
	if err == nil && module == library {
		d.own, err = libraryZip()
		d.all += d.own
	}
	return d, err
}

// add counts a file of the module cache, by its path there.
func (d *download) add(path string, size int64, module string) {
	kind := filepath.Ext(path)
	if kind != ".zip" && kind != ".mod" && kind != ".info" {
		return
	}
	d.all += size
	switch {
	case strings.HasPrefix(path, "/golang.org/x/net/"), strings.HasPrefix(path, "/golang.org/x/text/"):
		d.idna += size
	case kind == ".zip" && module != "" && strings.HasPrefix(path, "/"+escaped(module)+"/@v/"):
		d.own += size
	}
}

// escaped returns a module's path as in the module cache: a capital letter
// becomes an exclamation mark and the small letter.
func escaped(module string) string {
	var b strings.Builder
	for _, r := range module {
		if unicode.IsUpper(r) {
			b.WriteByte('!')
		}
		b.WriteRune(unicode.ToLower(r))
	}
	return b.String()
}

// libraryZip returns the size of this library, zipped as by the go command: the
// files that git tracks, without those of nested modules.
func libraryZip() (int64, error) {
	root := filepath.Join("..", "..")
	out, err := exec.Command("git", "-C", root, "ls-files", "-z").Output()
	if err != nil {
		return 0, err
	}
	var size counter
	archive := zip.NewWriter(&size)
	names := strings.Split(strings.TrimSuffix(string(out), "\x00"), "\x00")
	for _, name := range names {
		if inAnother(name, names) {
			continue
		}
		content, err := os.ReadFile(filepath.Join(root, filepath.FromSlash(name)))
		if err != nil {
			return 0, err
		}
		file, err := archive.Create(library + "@v0.0.0/" + name)
		if err != nil {
			return 0, err
		}
		if _, err := file.Write(content); err != nil {
			return 0, err
		}
	}
	err = archive.Close()
	return int64(size), err
}

// inAnother reports whether a file is in a nested module, below a folder with a
// go.mod.
func inAnother(name string, names []string) bool {
	for folder := path.Dir(name); folder != "."; folder = path.Dir(folder) {
		if slices.Contains(names, folder+"/go.mod") {
			return true
		}
	}
	return false
}

// A counter counts the bytes that are written to it.
type counter int64

func (c *counter) Write(p []byte) (int, error) {
	*c += counter(len(p))
	return len(p), nil
}
