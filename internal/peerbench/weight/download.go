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

// A download is how many bytes come over the network for a program.
type download struct {
	all  int64
	own  int64 // of these the zip of the library that the program requires
	idna int64 // of these golang.org/x/net and x/text
}

// downloaded counts the zips, go.mod files and version files in the module cache, and this library's zip for programs of its.
func (shop workshop) downloaded(module string) (d download, err error) {
	root := shop.path(filepath.Join("modcache", "cache", "download"))
	err = filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) && path == root {
			return nil // there was nothing to download
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

// add counts a file of the module cache by its path there.
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

// escaped is a module's path as the module cache writes it: an exclamation mark before what was a capital letter.
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

// libraryZip is the size of this library as the go command zips a module: what git tracks of it, but for modules inside.
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

// inAnother tells whether a file is in a folder with a go.mod, and so in another module.
func inAnother(name string, names []string) bool {
	for folder := path.Dir(name); folder != "."; folder = path.Dir(folder) {
		if slices.Contains(names, folder+"/go.mod") {
			return true
		}
	}
	return false
}

// counter counts what is written to it.
type counter int64

func (c *counter) Write(p []byte) (int, error) {
	*c += counter(len(p))
	return len(p), nil
}
