package main

import (
	"encoding/json"
	"encoding/xml"
	"fmt"
	"io"

	"github.com/cdncsr/cdncsr/csr"
)

// write writes resp as the operation's page shows it: JSON indented by four
// spaces, or XML by two.
func write(w io.Writer, resp *csr.Response, format string) error {
	encode := json.MarshalIndent
	indent := "    "
	if format == "xml" {
		encode, indent = xml.MarshalIndent, "  "
	}
	text, err := encode(resp, "", indent)
	if err != nil {
		return fmt.Errorf("write the response as %s: %w", format, err)
	}
	if _, err := w.Write(append(text, '\n')); err != nil {
		return fmt.Errorf("write the response with PubMd5 %s: %w", resp.PubMd5, err)
	}
	return nil
}
