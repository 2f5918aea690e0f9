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

func readCSV(r io.Reader) ([]row, error) {
	reader := csv.NewReader(r)
	header, err := reader.Read()
	if errors.Is(err, io.EOF) {
		return nil, errors.New("is empty: its first line must name the columns, CommonName among them")
	}
	if err != nil {
		return nil, err
	}
	if err := checkHeader(header); err != nil {
		return nil, err
	}
	var rows []row
	for {
		fields, err := reader.Read()
		if errors.Is(err, io.EOF) {
			return rows, nil
		}
		if mistake, ok := errors.AsType[*csv.ParseError](err); ok {
			rows = append(rows, row{line: mistake.StartLine, err: mistake.Err})
			continue
		}
		if err != nil {
			return nil, err
		}
		line, _ := reader.FieldPos(0)
		next := row{line: line}
		for i, column := range header {
			set(&next.request, column, fields[i])
		}
		rows = append(rows, next)
	}
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
	reader := bufio.NewReader(r)
	var rows []row
	for line := 1; ; line++ {
		text, err := reader.ReadBytes('\n')
		atEnd := errors.Is(err, io.EOF)
		if err != nil && !atEnd {
			return nil, err
		}
		if len(bytes.TrimSpace(text)) > 0 {
			next := row{line: line}
			next.err = decodeStrictly(text, &next.request)
			rows = append(rows, next)
		}
		if atEnd {
			return rows, nil
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
