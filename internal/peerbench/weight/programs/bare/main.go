// Command bare posts a form by net/http and decodes the answer, the least that
// a program of this kind does.
package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"os"
)

func main() {
	resp, err := http.PostForm(os.Getenv("ENDPOINT"), url.Values{"CommonName": {"example.com"}})
	if err != nil {
		fmt.Println(err)
		return
	}
	var answer struct{ Csr string }
	err = json.NewDecoder(resp.Body).Decode(&answer)
	fmt.Println(answer.Csr, err, resp.Body.Close())
}
