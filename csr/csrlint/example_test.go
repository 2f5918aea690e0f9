package csrlint_test

import (
	"context"
	"fmt"
	"log"

	"github.com/cdncsr/cdncsr/csr"
	"github.com/cdncsr/cdncsr/csr/csrlint"
)

func Example() {
	key, err := csr.P256.NewKey(context.Background())
	if err != nil {
		log.Fatal(err)
	}
	resp, err := csr.New(&csr.Request{CommonName: "*.co.uk"}, key)
	if err != nil {
		log.Fatal(err)
	}
	for _, finding := range csrlint.Lint([]byte(resp.Csr)) {
		fmt.Println(finding)
	}
	// Output:
	// subject-ou: subject.OU: is left out of every certificate since 2022 (changed by BR 7.1.2.7.2 to 7.1.2.7.4)
	// name-wildcard: SAN[0]: "*.co.uk" covers every domain below the public suffix "co.uk" (refused by BR 3.2.2.6)
}
