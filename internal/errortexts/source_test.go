package errortexts

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// folders are those whose texts must be in the golden file.
var folders = []string{
	"signer", "csr", "cdn", "cdn/aliyunsdk",
	"examples/create", "examples/bulk", "examples/fakecdn", "examples/service", "examples/quickstart", "examples/internal/cli",
}

// TestSource holds that the golden file is whole: it has each fragment of text that stands in the source, but for the
// exceptions, and each exception is one.
func TestSource(t *testing.T) {
	texts := goldenTexts(t)
	met := make(map[exception]bool)
	for _, folder := range folders {
		for _, f := range fragmentsIn(t, folder) {
			if strings.Contains(texts, f.text) {
				continue
			}
			except, ok := exceptionFor(f)
			met[except] = true
			assert.True(t, ok, "%s: %q is not in %s: provoke it, or say in exceptions why it can't be", f.place, f.text, golden)
		}
	}
	for _, except := range exceptions {
		assert.True(t, met[except], "the exception %q of %s is none any more: take it out", except.text, except.in)
		assert.NotEmpty(t, except.reason)
	}
}

// goldenTexts are the texts of the golden file without their headlines.
func goldenTexts(t *testing.T) string {
	t.Helper()
	list, err := os.ReadFile(golden)
	require.NoError(t, err)
	var texts strings.Builder
	for line := range strings.Lines(string(list)) {
		if text, ok := strings.CutPrefix(line, "    "); ok {
			texts.WriteString(text)
		}
	}
	return texts.String()
}

// A fragment is a part of a string literal between fmt's verbs, with a blank in it: words for a reader.
type fragment struct {
	folder, file, place string
	text                string
}

var (
	verb  = regexp.MustCompile(`%[-+#]*[0-9]*(\.[0-9]+)?[a-zA-Z]`)
	words = regexp.MustCompile(`\p{L}`)
)

// fragmentsIn are those of a folder, where they may be a part of an error.
func fragmentsIn(t *testing.T, folder string) []fragment {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join("../..", filepath.FromSlash(folder), "*.go"))
	require.NoError(t, err)
	require.NotEmpty(t, paths, folder)
	fset := token.NewFileSet()
	var all []fragment
	for _, path := range paths {
		if strings.HasSuffix(path, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(fset, path, nil, parser.SkipObjectResolution)
		require.NoError(t, err)
		for _, literal := range literalsIn(file) {
			value, err := strconv.Unquote(literal.Value)
			require.NoError(t, err)
			for _, text := range verb.Split(value, -1) {
				if strings.Contains(value, " ") && words.MatchString(text) {
					name := filepath.Base(path)
					place := folder + "/" + name + ":" + strconv.Itoa(fset.Position(literal.Pos()).Line)
					all = append(all, fragment{folder, name, place, text})
				}
			}
		}
	}
	return all
}

// literalsIn are the string literals of a file but those of imports, tags, and calls that make no error.
func literalsIn(file *ast.File) []*ast.BasicLit {
	var found []*ast.BasicLit
	ast.Inspect(file, func(node ast.Node) bool {
		switch node := node.(type) {
		case *ast.ImportSpec:
			return false
		case *ast.Field:
			return node.Tag == nil
		case *ast.CallExpr:
			return !makesNoError(node)
		case *ast.BasicLit:
			if node.Kind == token.STRING {
				found = append(found, node)
			}
		}
		return true
	})
	return found
}

// makesNoError tells whether a call has texts that are no errors: a flag's usage, or a log record.
func makesNoError(call *ast.CallExpr) bool {
	method, ok := call.Fun.(*ast.SelectorExpr)
	if !ok {
		return false
	}
	switch method.Sel.Name {
	case "StringVar", "IntVar", "TextVar", "Var": // and String, of a flag.FlagSet
	case "Info", "InfoContext", "WarnContext", "ErrorContext", "Log", "LogAttrs": // of a slog.Logger
	case "String":
		return len(call.Args) == 3
	default:
		return false
	}
	return true
}
