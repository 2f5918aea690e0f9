package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
)

// A workshop is a folder for one program, with caches that are empty at first.
type workshop struct{ folder string }

func (shop workshop) path(name string) string { return filepath.Join(shop.folder, name) }

// hosts matches what is left out of the go command's messages.
var hosts = regexp.MustCompile(`https?://[^\s"]*`)

// run runs the go command in the workshop and returns what it printed.
func (shop workshop) run(args ...string) (*os.ProcessState, string, error) {
	command := exec.Command("go", args...)
	command.Dir = shop.folder
	command.Env = append(
		os.Environ(),
		"GOMODCACHE="+shop.path("modcache"), "GOCACHE="+shop.path("cache"),
		"GOFLAGS=-modcacherw", "GOWORK=off", "CGO_ENABLED=0",
	)
	var out, problem bytes.Buffer
	command.Stdout, command.Stderr = &out, &problem
	if err := command.Run(); err != nil {
		return nil, "", fmt.Errorf("go %s: %w: %s", args[0], err, hosts.ReplaceAllString(problem.String(), "(a host)"))
	}
	return command.ProcessState, out.String(), nil
}
