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

// A row is an entry of the list.
type row struct {
	line    int // that it begins in, from 1
	request csr.Request
	err     error // why it can't be asked for; nil if it can
}

// name is what a row is known by: two rows of one name are the same.
func (r row) name() string { return strings.ToLower(r.request.CommonName) }

// readList reads the whole list. A mistake in a row is that row's; an error is one of the whole list.
func readList(path string) ([]row, error) {
	read := readCSV
	switch strings.ToLower(filepath.Ext(path)) {
	case ".csv":
	case ".jsonl", ".ndjson":
		read = readJSONLines
	default:
		return nil, cli.Usagef("%s: ends neither in .csv nor in .jsonl: rename it to what it is", path)
	}
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = file.Close() }() // it was only read
	buffered := bufio.NewReader(file)
	if mark, _ := buffered.Peek(3); string(mark) == "\ufeff" {
		_, _ = buffered.Discard(len(mark)) // a byte order mark, as spreadsheets write it
	}
	rows, err := read(buffered)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	refuseDoubles(rows)
	return rows, nil
}

// refuseDoubles marks every row whose name an earlier one has.
func refuseDoubles(rows []row) {
	lines := make(map[string]int, len(rows))
	for i, r := range rows {
		if first, ok := lines[r.name()]; ok && r.err == nil {
			rows[i].err = fmt.Errorf("%s is in line %d already: leave one of them out", r.request.CommonName, first)
		} else if r.name() != "" {
			lines[r.name()] = r.line
		}
	}
}

// readCSV reads each line on its own: no parameter holds a line end, and a quote that is missing spoils no other line.
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
			next.err = mistake.Err // without a line, which is always the first
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
		err = errors.New("is empty: its first line must name the columns, CommonName among them")
	}
	return rows, err
}

// checkHeader refuses columns that mean nothing, stand there twice or leave no name.
func checkHeader(header []string) error {
	seen := make(map[string]bool)
	for _, column := range header {
		if !set(new(csr.Request), column, "") {
			return fmt.Errorf("line 1: column %q: want CommonName, SANs, Organization, OrganizationUnit, Country, State, City or Email", column)
		}
		if seen[column] {
			return fmt.Errorf("line 1: column %q is there twice: leave one out", column)
		}
		seen[column] = true
	}
	if !seen["CommonName"] {
		return errors.New("line 1: has no column CommonName: write the columns' names there")
	}
	return nil
}

// set sets a parameter by its name, and tells whether there is one of that name.
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

// splitNames is a list of names as the operation takes it, separated by commas.
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

// eachLine calls do with each line that is not blank, and ends with its first error.
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

// decodeStrictly reads one JSON object that has no field but those of req.
func decodeStrictly(text []byte, req *csr.Request) error {
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(req); err != nil {
		return err
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return errors.New("more than one JSON value on a line: write each on its own")
	}
	return nil
}
