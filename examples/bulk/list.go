package main

import (
	"bufio"
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/cdncsr/cdncsr/csr"
	"github.com/cdncsr/cdncsr/examples/internal/cli"
)

// A row is one entry of the list.
type row struct {
	line    int // from 1
	request csr.Request
	err     error // why the row is invalid, or nil
}

// key returns the name in lower case. Two rows with the same key are
// duplicates.
func (r row) key() string { return strings.ToLower(r.request.CommonName) }

// readList reads the list at path. It records a mistake in a row in the row. It
// returns an error if it can't read the list.
func readList(path string) ([]row, error) {
	read := readCSV
	switch strings.ToLower(filepath.Ext(path)) {
	case ".csv":
	case ".jsonl", ".ndjson":
		read = readJSONLines
	default:
		return nil, cli.Usagef("%s: want a name that ends in .csv or .jsonl", path)
	}
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = file.Close() }() // only read
	buffered := bufio.NewReader(file)
	if mark, _ := buffered.Peek(3); string(mark) == "\ufeff" {
		_, _ = buffered.Discard(len(mark)) // a byte order mark, which spreadsheets write
	}
	rows, err := read(buffered)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	markDuplicates(rows)
	return rows, nil
}

// markDuplicates records an error in every row whose name an earlier row has.
func markDuplicates(rows []row) {
	lines := make(map[string]int, len(rows))
	for i, r := range rows {
		if first, ok := lines[r.key()]; ok && r.err == nil {
			rows[i].err = fmt.Errorf("%s is already in line %d", r.request.CommonName, first)
		} else if r.key() != "" {
			lines[r.key()] = r.line
		}
	}
}

// readCSV parses each line separately: no parameter contains a line end, and a
// missing quote then affects no other line.
func readCSV(r io.Reader) ([]row, error) {
	var header []string
	var rows []row
	err := eachLine(r, func(number int, text []byte) error {
		fields, err := csv.NewReader(bytes.NewReader(text)).Read()
		switch {
		case header == nil && err != nil:
			return err
		case header == nil:
			header = fields
			return checkHeader(header)
		case err == nil && len(fields) != len(header):
			err = csv.ErrFieldCount
		}
		next := row{line: number, err: err}
		if mistake, ok := errors.AsType[*csv.ParseError](err); ok {
			next.err = mistake.Err // without its line number, which is always 1
		}
		if err == nil {
			for i, column := range header {
				set(&next.request, column, fields[i])
			}
		}
		rows = append(rows, next)
		return nil
	})
	if header == nil && err == nil {
		err = errors.New("line 1: no header: want the names of the columns")
	}
	return rows, err
}

// checkHeader refuses unknown and duplicate columns, and a header without
// CommonName.
func checkHeader(header []string) error {
	seen := make(map[string]bool)
	for _, column := range header {
		if !set(new(csr.Request), column, "") {
			return fmt.Errorf("line 1: column %q: want CommonName, SANs or another field of the request", column)
		}
		if seen[column] {
			return fmt.Errorf("line 1: column %q: duplicate", column)
		}
		seen[column] = true
	}
	if !seen["CommonName"] {
		return errors.New("line 1: no column CommonName")
	}
	return nil
}

// set sets the parameter of the given name. It reports whether there is one.
func set(req *csr.Request, parameter, value string) bool {
	switch parameter {
	case "CommonName":
		req.CommonName = value
	case "SANs":
		req.SANs = splitNames(value)
	case "Organization":
		req.Organization = value
	case "OrganizationUnit":
		req.OrganizationUnit = value
	case "Country":
		req.Country = value
	case "State":
		req.State = value
	case "City":
		req.City = value
	case "Email":
		req.Email = value
	default:
		return false
	}
	return true
}

// splitNames splits a list of names separated by commas.
func splitNames(list string) []string {
	if list == "" {
		return nil
	}
	names := strings.Split(list, ",")
	for i, name := range names {
		names[i] = strings.TrimSpace(name)
	}
	return names
}

func readJSONLines(r io.Reader) ([]row, error) {
	var rows []row
	err := eachLine(r, func(number int, text []byte) error {
		next := row{line: number}
		next.err = decodeStrictly(text, &next.request)
		rows = append(rows, next)
		return nil
	})
	return rows, err
}

// eachLine calls do for each line that is not blank. It stops at the first
// error.
func eachLine(r io.Reader, do func(number int, text []byte) error) error {
	reader := bufio.NewReader(r)
	for number := 1; ; number++ {
		text, err := reader.ReadBytes('\n')
		atEnd := errors.Is(err, io.EOF)
		if err != nil && !atEnd {
			return err
		}
		if len(bytes.TrimSpace(text)) > 0 {
			if err := do(number, text); err != nil {
				return err
			}
		}
		if atEnd {
			return nil
		}
	}
}

// decodeStrictly decodes one JSON object into req and refuses unknown fields.
func decodeStrictly(text []byte, req *csr.Request) error {
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(req); err != nil {
		return err
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return errors.New("more than one JSON value on the line")
	}
	return nil
}
