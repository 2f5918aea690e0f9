// Command weight measures what each of the libraries that peerbench compares
// adds to a program: the download into an empty module cache, the linked
// modules and packages, the size of the stripped program, and the CPU time of a
// build with an empty build cache. Run it in the folder above:
//
//	go run ./weight                  prints the table
//	go run ./weight -docs ../../docs writes it to comparison.md there
//
// The programs are in the folder programs; each is copied to a module of its
// own that requires only its library. The go command's settings say where
// modules come from. This library is taken from this checkout and not
// downloaded: the zip that the go command would make of the files that git
// tracks is counted instead.
package main

import (
	"flag"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"runtime/debug"
	"strings"
)

// library is the module path of this library, two folders above this module.
var library = func() string {
	info, _ := debug.ReadBuildInfo() // a program of a module has it
	return path.Dir(path.Dir(info.Main.Path))
}()

// The programs, and the module that each requires, which this module requires
// too; empty for none.
var programs = []struct{ name, folder, module string }{
	{"net/http alone", "bare", ""},
	{"net/http and CSRs, written by hand", "keys", "golang.org/x/net"},
	{"this library: the client", "client", library},
	{"this library: the client, and CSRs of its own", "fallback", library},
	{"SDK v1", "sdkv1", "github.com/aliyun/alibaba-cloud-sdk-go"},
	{"SDK v2 (darabonba)", "sdkv2", "github.com/alibabacloud-go/darabonba-openapi/v2"},
}

func main() {
	docs := flag.String("docs", "", "write the table into comparison.md of this `folder`")
	flag.Parse()
	if err := run(*docs); err != nil {
		_, _ = fmt.Fprintln(os.Stderr, "weight:", err) // there is nowhere else to report it
		os.Exit(1)
	}
}

func run(docs string) error {
	var table strings.Builder
	table.WriteString("| program | downloaded, KB | its own zip | x/net, x/text | modules | packages | stripped, MB | cold build, CPU s |\n")
	table.WriteString("| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |\n")
	for _, p := range programs {
		w, err := weigh(filepath.Join("weight", "programs", p.folder), p.module)
		if err != nil {
			return fmt.Errorf("%s: %w", p.name, err)
		}
		fmt.Fprintf(&table, "| %s | %d | %d | %d | %d | %d | %.2f | %.0f |\n", p.name,
			w.downloaded.all/1000, w.downloaded.own/1000, w.downloaded.idna/1000, w.modules, w.packages, float64(w.binary)/1e6, w.build.Seconds())
	}
	fmt.Print(table.String())
	if docs == "" {
		return nil
	}
	return publish(filepath.Join(docs, "comparison.md"), table.String())
}

// publish writes the table between its marks in the page.
func publish(name, table string) error {
	page, err := os.ReadFile(name)
	if err != nil {
		return err
	}
	const begin, end = "<!-- begin: go run ./weight -->\n", "<!-- end: go run ./weight -->"
	before, rest, ok1 := strings.Cut(string(page), begin)
	_, after, ok2 := strings.Cut(rest, end)
	if !ok1 || !ok2 {
		return fmt.Errorf("%s has no marks %q", name, strings.TrimSpace(begin))
	}
	return os.WriteFile(name, []byte(before+begin+table+end+after), 0o644)
}
