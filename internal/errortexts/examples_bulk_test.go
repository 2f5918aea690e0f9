package errortexts

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"regexp"
	"slices"
	"testing"

	"github.com/cdncsr/cdncsr/cdn/cdntest"
)

// A list is a run of examples/bulk over a file.
type list struct {
	how, file, content string
	line               int // of stderr, where the text is
}

// lists have something wrong.
var lists = []list{
	{"a file of no known kind", "names.txt", "example.com\n", 0},
	{"an empty list", "names.csv", "", 0},
	{"a column without a meaning", "names.csv", "CommonName,Owner\n", 0},
	{"a column that is there twice", "names.csv", "CommonName,CommonName\n", 0},
	{"no column of names", "names.csv", "Country\nCN\n", 0},
	{"a row of too many fields", "names.csv", "CommonName\na.example,b.example\n", 0},
	{"a row with a wrong name", "names.csv", "CommonName,SANs\na.example,\"b_c.example, d.example\"\n", 0},
	{"rows that failed", "names.csv", "CommonName\na b\n", 1},
	{"a row that is there twice", "names.csv", "CommonName\na b\nA B\n", 0},
	{"a line that is no JSON", "names.jsonl", "a.example\n", 0},
	{"a parameter without a meaning", "names.jsonl", `{"Owner": "me"}` + "\n", 0},
	{"two values on a line", "names.jsonl", `{"CommonName": "a.example"} {}` + "\n", 0},
}

// bulkTexts are the errors of examples/bulk, the reports of rows, and what it says besides.
func bulkTexts(bin string) func(*testing.T) []provocation {
	program := filepath.Join(bin, "bulk")
	one := map[string]string{"names.csv": "CommonName\na.example\n", "file": "", "csrs.jsonl": ""}
	with := func(args ...string) func(*testing.T) error { return run{program: program, args: args, files: one}.fail }
	return func(*testing.T) []provocation {
		all := []provocation{
			{"no list", with()},
			{"no workers", with("-workers", "0", "names.csv")},
			{"a list that is not there", with("missing.csv")},
			{"results that can't be written", with("-out", "missing/csrs.jsonl", "names.csv")},
			{"results that are none", with("-out", "names.csv", "names.csv")},
			{"results into a directory", with("-out", ".", "names.csv")},
			{"a file in the place of the keys", with("-keys", "file", "names.csv")},
			{"a CDN that can't serve", func(t *testing.T) error {
				return with("-mode", "remote", "-endpoint", newServer(t, busy).URL, "names.csv")(t)
			}},
			{"a CDN that can't serve, with this machine standing in", func(t *testing.T) error {
				return with("-mode", "fallback", "-endpoint", newServer(t, busy).URL, "-keys", "file", "names.csv")(t)
			}},
			{"an outage", func(t *testing.T) error {
				srv := newServer(t, slices.Repeat([]cdntest.Fault{busy}, 100)...)
				return run{
					program: program, args: []string{"-mode", "remote", "-endpoint", srv.URL, "-workers", "1", "names.csv"},
					files: map[string]string{"names.csv": longList()}, line: 64,
				}.fail(t)
			}},
			{"an interrupt, at once", func(t *testing.T) error { return interrupted(t, program, 0) }},
			{"an interrupt, at the end", func(t *testing.T) error { return interrupted(t, program, 1) }},
		}
		for _, l := range lists {
			all = append(all, provocation{l.how, run{
				program: program, args: []string{l.file}, files: map[string]string{l.file: l.content}, line: l.line,
			}.fail})
		}
		return all
	}
}

// interrupted is the error of a run that is interrupted during its first call. How many calls it makes until it takes notice
// is up to the system: N in the text.
func interrupted(t *testing.T, program string, line int) error {
	t.Helper()
	srv := newServer(t)
	ctx, interrupt := context.WithCancel(t.Context())
	defer interrupt()
	srv.API.OnRequest = func(cdntest.Request) { interrupt() }
	r := run{
		program: program, args: []string{"-mode", "remote", "-endpoint", srv.URL, "-workers", "1", "names.csv"},
		files: map[string]string{"names.csv": longList()}, line: line,
	}
	text := r.failAs(t, r.command(ctx, t)).Error()
	return errors.New(regexp.MustCompile(`^bulk: [0-9]+ of`).ReplaceAllString(text, "bulk: N of"))
}

func longList() string {
	list := "CommonName\n"
	for i := range 200 {
		list += fmt.Sprintf("a%d.example\n", i)
	}
	return list
}
