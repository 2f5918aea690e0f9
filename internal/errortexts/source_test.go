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

// folders are those whose texts must be in the golden file: the libraries, and every example.
func folders(t *testing.T) []string {
	t.Helper()
	programs, err := filepath.Glob("../../examples/*/main.go")
	require.NoError(t, err)
	require.NotEmpty(t, programs)
	all := []string{"signer", "csr", "cdn", "cdn/aliyunsdk", "examples/internal/cli"}
	for _, program := range programs {
		all = append(all, "examples/"+filepath.Base(filepath.Dir(program)))
	}
	return all
}

// TestSource holds that the golden file is whole: for each text of the source it has a line in which that stands, but for
// the exceptions; and each exception is one.
func TestSource(t *testing.T) {
	list := goldenTexts(t)
	met := make(map[exception]bool)
	for _, folder := range folders(t) {
		for _, one := range textsIn(t, folder) {
			if one.pattern().MatchString(list) {
				continue
			}
			except := exceptionOf(one)
			met[except] = true
			assert.NotEmpty(t, except.reason, "%s: %q is not in %s: provoke it, or say in exceptions why it can't be", one.place, one.format, golden)
		}
	}
	for _, except := range exceptions {
		assert.True(t, met[except], "the exception %q of %s is none any more: take it out", except.text, except.folder)
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

// A sourceText is a string literal that may be an error's text, or a part of one: it has words and a blank.
type sourceText struct{ folder, place, format string }

var (
	verb  = regexp.MustCompile(`%[-+#]*[0-9]*(\.[0-9]+)?[a-zA-Z]`)
	words = regexp.MustCompile(`\pL`)
)

// pattern matches the text within a line, with anything in the place of fmt's verbs.
func (s sourceText) pattern() *regexp.Regexp {
	fragments := verb.Split(s.format, -1)
	for i, fragment := range fragments {
		fragments[i] = regexp.QuoteMeta(fragment)
	}
	return regexp.MustCompile(strings.Join(fragments, ".*"))
}

// textsIn are those of a folder.
func textsIn(t *testing.T, folder string) []sourceText {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join("../..", filepath.FromSlash(folder), "*.go"))
	require.NoError(t, err)
	require.NotEmpty(t, paths, folder)
	fset := token.NewFileSet()
	var all []sourceText
	for _, path := range paths {
		if strings.HasSuffix(path, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(fset, path, nil, parser.SkipObjectResolution)
		require.NoError(t, err)
		for _, literal := range literalsIn(file) {
			format, err := strconv.Unquote(literal.Value)
			require.NoError(t, err)
			if strings.Contains(format, " ") && words.MatchString(verb.ReplaceAllString(format, "")) {
				place := filepath.Base(path) + ":" + strconv.Itoa(fset.Position(literal.Pos()).Line)
				all = append(all, sourceText{folder, folder + "/" + place, format})
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
