package cdn_test

import (
	"context"
	"fmt"
	"log"
	"sync"

	"github.com/cdncsr/cdncsr/cdn"
	"github.com/cdncsr/cdncsr/csr"
)

// onceEach is a CSRCreator that asks another one once for each name.
type onceEach struct {
	creator cdn.CSRCreator

	mu   sync.Mutex
	made map[string]*csr.Response
}

func (o *onceEach) CreateCdnCertificateSigningRequest(ctx context.Context, req *csr.Request) (*csr.Response, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if resp, ok := o.made[req.CommonName]; ok {
		return resp, nil
	}
	resp, err := o.creator.CreateCdnCertificateSigningRequest(ctx, req)
	if err != nil {
		return nil, err
	}
	o.made[req.CommonName] = resp
	return resp, nil
}

// Your own CSRCreator works wherever the library's do. With this one a second
// call for a name returns the first one's CSR.
func ExampleCSRCreator_own() {
	var creator cdn.CSRCreator = &onceEach{
		creator: &csr.Generator{Keys: new(csr.MemStore), Source: csr.P256},
		made:    make(map[string]*csr.Response),
	}
	ctx := context.Background()
	first, err := creator.CreateCdnCertificateSigningRequest(ctx, &csr.Request{CommonName: "example.com"})
	if err != nil {
		log.Fatal(err)
	}
	second, err := creator.CreateCdnCertificateSigningRequest(ctx, &csr.Request{CommonName: "example.com"})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(first.Csr == second.Csr)
	// Output: true
}
