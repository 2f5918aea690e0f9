package csr

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cdncsr/cdncsr/internal/testenv"
)

// systemCalls runs a process that makes one CSR with its key in dir, and
// returns what it does to files below root, a line for each call, such as
// "fsync root/new". A temporary file is called TEMP, a key file KEY.
func systemCalls(t *testing.T, root, dir string) []string {
	t.Helper()
	strace := testenv.Program(t, "strace")
	log := filepath.Join(t.TempDir(), "strace")
	child := newChild(dir, 1)
	cmd := exec.Command(strace, append([]string{
		"-f", "-qq", "-y", "-o", log, "-s", "8",
		"-e", "trace=mkdir,mkdirat,open,openat,write,fsync,fdatasync,link,linkat,unlink,unlinkat,rename,renameat,renameat2",
	}, child.Args...)...)
	cmd.Env = child.Env
	out, err := cmd.CombinedOutput()
	if err != nil && strings.Contains(string(out), "ptrace") {
		testenv.SkipOrFail(t, "strace has no permission: "+string(out))
	}
	require.NoError(t, err, string(out))
	text, err := os.ReadFile(log)
	require.NoError(t, err)
	return simplify(string(text), root)
}

var (
	straceCall = regexp.MustCompile(`^\d+ +(\w+)\((.*)\) += (-?\d+)`)
	straceFile = regexp.MustCompile(`(?:<([^<>]*)>|AT_FDCWD)(?:, "([^"]*)")?`) // an open file, and a name in it
	tempName   = regexp.MustCompile(`[A-Z2-7]{26}`)
	keyName    = regexp.MustCompile(`[0-9a-f]{32}\.pem`)
)

// wholeLines returns the lines that strace wrote. It joins the two parts of a
// call during which another thread made one.
func wholeLines(text string) []string {
	var lines []string
	unfinished := make(map[string]string) // by thread
	for line := range strings.Lines(text) {
		thread, call, _ := strings.Cut(line, " ")
		if begin, ok := strings.CutSuffix(line, " <unfinished ...>\n"); ok {
			unfinished[thread] = begin
			continue
		}
		if _, end, ok := strings.Cut(call, " resumed>"); ok && strings.HasPrefix(strings.TrimSpace(call), "<... ") {
			line = unfinished[thread] + end
		}
		lines = append(lines, line)
	}
	return lines
}

// simplify returns the calls that succeeded and matter, with paths that begin
// with root.
func simplify(text, root string) []string {
	var calls []string
	for _, line := range wholeLines(text) {
		match := straceCall.FindStringSubmatch(line)
		if match == nil || match[3] == "-1" || strings.HasPrefix(match[1], "open") && !strings.Contains(match[2], "O_EXCL") {
			continue
		}
		call := strings.TrimSuffix(match[1], "at")
		for _, file := range straceFile.FindAllStringSubmatch(match[2], -1) {
			path := file[1]
			switch {
			case filepath.IsAbs(file[2]):
				path = file[2]
			case call != "write" && file[2] != "":
				path = filepath.Join(path, file[2])
			}
			if path != "" && strings.HasPrefix(path, root) {
				call += " root" + strings.TrimPrefix(path, root)
			}
		}
		if call == "write" && strings.HasPrefix(match[2], "1<") {
			call = "print"
		}
		if call = keyName.ReplaceAllString(tempName.ReplaceAllString(call, "TEMP"), "KEY"); strings.Contains(call, " ") ||
			call == "print" {
			calls = append(calls, call)
		}
	}
	return calls
}

// TestDirStore_SystemCalls shows the order of the calls that makes a key
// durable before its CSR is printed.
func TestDirStore_SystemCalls(t *testing.T) {
	root, err := filepath.EvalSymlinks(t.TempDir())
	require.NoError(t, err)
	dir := filepath.Join(root, "new", "keys")
	stored := []string{
		"open root/new/keys/.tmp/TEMP",
		"write root/new/keys/.tmp/TEMP",
		"fsync root/new/keys/.tmp/TEMP",
		"link root/new/keys/.tmp/TEMP root/new/keys/KEY",
		"unlink root/new/keys/.tmp/TEMP",
		"fsync root/new/keys",
	}
	printed := []string{"print"}
	swept := []string{"open root/new/keys/.tmp/.sweep"}             // the mark of the first sweep of a new .tmp
	found := []string{"fsync root/new", "mkdir root/new/keys/.tmp"} // .tmp marks root/new/keys as durable

	made := []string{"mkdir root/new", "fsync root", "mkdir root/new/keys", "fsync root/new"}
	assert.Equal(t, slices.Concat(made, found, stored, swept, printed), systemCalls(t, root, dir),
		"a new directory in a new one")
	assert.Equal(t, slices.Concat(stored, printed), systemCalls(t, root, dir), "the second key")
	require.NoError(t, os.RemoveAll(filepath.Join(dir, ".tmp")))
	assert.Equal(t, slices.Concat(found, stored, swept, printed), systemCalls(t, root, dir),
		"a directory that another process made")
}
