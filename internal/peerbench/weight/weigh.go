package main

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// A weight holds what a program costs.
type weight struct {
	downloaded download
	modules    int           // linked, without the program's own
	packages   int           // linked, without the program's own and the standard library's
	binary     int64         // bytes, stripped
	build      time.Duration // CPU time
}

// weigh builds the program of a folder, which requires module; empty for none.
func weigh(program, module string) (weight, error) {
	folder, err := os.MkdirTemp("", "weight")
	if err != nil {
		return weight{}, err
	}
	w, err := workshop{folder}.weigh(program, module)
	return w, errors.Join(err, os.RemoveAll(folder))
}

func (shop workshop) weigh(program, module string) (w weight, err error) {
	if err := shop.prepare(program, module); err != nil {
		return w, err
	}
	build := []string{"build", "-mod=mod", "-trimpath", "-ldflags=-s -w", "-o", shop.path("program"), "."}
	if _, _, err := shop.run(build...); err != nil { // downloads
		return w, err
	}
	if w.downloaded, err = shop.downloaded(module); err != nil {
		return w, err
	}
	if w.modules, w.packages, err = shop.linked(); err != nil {
		return w, err
	}
	info, err := os.Stat(shop.path("program"))
	if err != nil {
		return w, err
	}
	w.binary = info.Size()
	if _, _, err := shop.run("clean", "-cache"); err != nil {
		return w, err
	}
	state, _, err := shop.run(build...)
	if err == nil {
		w.build = state.UserTime() + state.SystemTime()
	}
	return w, err
}

// prepare copies the program, and writes a go.mod that requires module in the
// version that this module requires.
func (shop workshop) prepare(program, module string) error {
	source, err := os.ReadFile(filepath.Join(program, "main.go"))
	if err != nil {
		return err
	}
	if err := os.WriteFile(shop.path("main.go"), source, 0o600); err != nil {
		return err
	}
	gomod := "module weight\n\ngo 1.26.0\n"
	if module != "" {
		const format = "require {{.Path}} {{.Version}}\n{{with .Replace}}replace {{$.Path}} => {{.Dir}}{{end}}"
		required, err := exec.Command("go", "list", "-m", "-f", format, module).Output()
		if err != nil {
			return err
		}
		gomod += string(required)
	}
	return os.WriteFile(shop.path("go.mod"), []byte(gomod), 0o600)
}

// linked counts the linked modules and packages, without the program's own and
// the standard library's.
func (shop workshop) linked() (modules, packages int, err error) {
	_, out, err := shop.run("list", "-mod=mod", "-deps", "-f", "{{with .Module}}{{.Path}}{{end}}", ".")
	seen := map[string]bool{"weight": true}
	for _, module := range strings.Fields(out) {
		if module != "weight" {
			packages++
		}
		seen[module] = true
	}
	return len(seen) - 1, packages, err
}
