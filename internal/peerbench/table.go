package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
)

// results holds all figures.
type results struct{ calls, crowd, signing, operations []figures }

// A table has rows of text below a heading. Its first column is aligned left,
// the others right.
type table struct {
	title  string
	header []string
	rows   [][]string
}

func (r results) tables() []table {
	calls := table{
		title:  "One call after the other",
		header: []string{"client", "CPU, µs", "× " + floorName, "× with the service's", "allocations", "KB"},
	}
	for _, f := range r.calls {
		calls.add(f.name, f.cpu, f.ratio, f.bothRatio, whole(f.allocs), kilobytes(f.bytes))
	}
	many := table{
		title:  fmt.Sprintf("%d goroutines on one client", crowd),
		header: []string{"client", "CPU, µs", "× " + floorName, "× with the service's", "elapsed, µs", "connections opened"},
	}
	for _, f := range r.crowd {
		many.add(f.name, f.cpu, f.ratio, f.bothRatio, f.wall, f.connections)
	}
	signing := table{title: "Signing alone", header: []string{"signer", "CPU, µs", "× the SDK's", "allocations", "KB"}}
	for _, f := range r.signing {
		signing.add(f.name, f.cpu, f.ratio, whole(f.allocs), kilobytes(f.bytes))
	}
	operations := table{
		title:  "Operations of this library, with parameters of equal size",
		header: []string{"operation", "CPU, µs", "× the first", "allocations", "KB"},
	}
	for _, f := range r.operations {
		operations.add(f.name, f.cpu, f.ratio, whole(f.allocs), kilobytes(f.bytes))
	}
	return []table{calls, many, signing, operations}
}

// add appends a row, with two digits after the point of a float64.
func (t *table) add(cells ...any) {
	row := make([]string, len(cells))
	for i, cell := range cells {
		row[i] = fmt.Sprint(cell)
		if number, ok := cell.(float64); ok {
			row[i] = fmt.Sprintf("%.2f", number)
		}
	}
	t.rows = append(t.rows, row)
}

func whole(n float64) string     { return fmt.Sprintf("%.0f", n) }
func kilobytes(n float64) string { return fmt.Sprintf("%.1f", n/1000) }

// write writes the tables to out.
func (r results) write(out io.Writer) error {
	_, err := io.WriteString(out, r.markdown())
	return err
}

// publish writes the tables between their marks in comparison.md, and the chart
// to comparison.svg.
func (r results) publish(docs string) error {
	if err := os.WriteFile(filepath.Join(docs, "comparison.svg"), r.chart(), 0o644); err != nil {
		return err
	}
	path := filepath.Join(docs, "comparison.md")
	page, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	const begin, end = "<!-- begin: go run . -->\n", "<!-- end: go run . -->"
	before, rest, ok1 := strings.Cut(string(page), begin)
	_, after, ok2 := strings.Cut(rest, end)
	if !ok1 || !ok2 {
		return fmt.Errorf("%s has no marks %q", path, strings.TrimSpace(begin))
	}
	return os.WriteFile(path, []byte(before+begin+r.markdown()+end+after), 0o644)
}

// markdown returns the tables in Markdown, aligned so that they can be read as
// text too.
func (r results) markdown() string {
	var b strings.Builder
	fmt.Fprintf(&b, "Measured with %s on %s/%s, GOMAXPROCS %d.\n", runtime.Version(), runtime.GOOS, runtime.GOARCH, runtime.GOMAXPROCS(0))
	for _, t := range r.tables() {
		b.WriteString("\n### " + t.title + "\n\n" + t.markdown())
	}
	return b.String()
}

func (t table) markdown() string {
	widths := make([]int, len(t.header))
	for _, row := range append(t.rows, t.header) {
		for i, cell := range row {
			widths[i] = max(widths[i], len([]rune(cell)))
		}
	}
	rule := make([]string, len(t.header))
	for i, width := range widths {
		rule[i] = strings.Repeat("-", width-1) + ":"
	}
	rule[0] = strings.Repeat("-", widths[0])
	var b strings.Builder
	for _, row := range append([][]string{t.header, rule}, t.rows...) {
		for i, cell := range row {
			pad := strings.Repeat(" ", widths[i]-len([]rune(cell)))
			if i == 0 {
				b.WriteString("| " + cell + pad + " |")
			} else {
				b.WriteString(" " + pad + cell + " |")
			}
		}
		b.WriteByte('\n')
	}
	return b.String()
}
