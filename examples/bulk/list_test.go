package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cdncsr/cdncsr/csr"
)

// writeList writes a list to a file of the given name and returns its path.
func writeList(t *testing.T, name, content string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	require.NoError(t, os.WriteFile(path, []byte(content), 0o600))
	return path
}

func TestReadList_SameRequestsFromCSVAndJSONLines(t *testing.T) {
	want := []csr.Request{
		{
			CommonName: "a.example", SANs: []string{"b.example", "c.example"}, Organization: "A, B & C", OrganizationUnit: "U",
			Country: "DE", State: "S", City: "München", Email: "a@example.com",
		},
		{CommonName: "d.example"},
	}
	for name, content := range map[string]string{
		"list.csv": "\ufeffEmail,CommonName,SANs,Organization,OrganizationUnit,Country,State,City\r\n" +
			"a@example.com,a.example,\"b.example, c.example\",\"A, B & C\",U,DE,S,München\r\n,d.example,,,,,,\r\n",
		"list.JSONL": `{"CommonName": "a.example", "SANs": ["b.example", "c.example"], "Organization": "A, B & C",` +
			` "OrganizationUnit": "U", "Country": "DE", "State": "S", "City": "München", "Email": "a@example.com"}` +
			"\n\n" + `{"CommonName": "d.example"}`,
	} {
		rows, err := readList(writeList(t, name, content))
		require.NoError(t, err)
		require.Len(t, rows, len(want))
		for i, r := range rows {
			require.NoError(t, r.err)
			assert.Equal(t, want[i], r.request)
		}
	}
}

func TestReadList_RecordsMistakesInTheirRows(t *testing.T) {
	const first, last = `{"CommonName": "a.example"}` + "\n", `{"CommonName": "c.example"}`
	for name, test := range map[string]struct {
		content string
		line    int
		why     string
	}{
		"fields.csv":  {"CommonName,City\na.example,A\nb.example\nc.example,C\n", 3, "wrong number of fields"},
		"quote.csv":   {"CommonName,City\na.example,A\nb.example,B\"\nc.example,C\n", 3, `bare " in non-quoted-field`},
		"double.csv":  {"CommonName,City\na.example,A\nA.example,B\nc.example,C\n", 3, "A.example is already in line 2"},
		"missing.csv": {"CommonName,City\na.example,A\nb.example,\"B\nc.example,C\n", 3, `missing "`},
		"text.jsonl":  {first + "b.example\n" + last, 2, "invalid character"},
		"field.jsonl": {first + "{\"Name\": \"b\"}\n" + last, 2, `unknown field "Name"`},
		"two.jsonl":   {first + "{} {}\n" + last, 2, "more than one JSON value"},
	} {
		t.Run(name, func(t *testing.T) {
			rows, err := readList(writeList(t, name, test.content))
			require.NoError(t, err)
			require.Len(t, rows, 3)
			assert.NoError(t, rows[0].err)
			assert.Equal(t, test.line, rows[1].line)
			assert.ErrorContains(t, rows[1].err, test.why)
			assert.NoError(t, rows[2].err)
			assert.Equal(t, "c.example", rows[2].request.CommonName)
		})
	}
}

func TestReadList_RefusesInvalidLists(t *testing.T) {
	for name, test := range map[string]struct{ content, why string }{
		"empty.csv":    {"", "no header"},
		"unknown.csv":  {"CommonName,Town\n", `column "Town": want CommonName`},
		"twice.csv":    {"CommonName,City,City\n", `column "City": duplicate`},
		"nameless.csv": {"City\n", "no column CommonName"},
		"names.txt":    {"a.example\n", "ends in .csv or .jsonl"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := readList(writeList(t, name, test.content))
			assert.ErrorContains(t, err, test.why)
			assert.ErrorContains(t, err, name)
		})
	}
	_, err := readList(filepath.Join(t.TempDir(), "missing.csv"))
	assert.ErrorIs(t, err, os.ErrNotExist)
}
