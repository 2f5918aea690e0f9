package cdn_test

import (
	"context"
	"fmt"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/cdncsr/cdncsr/cdn"
	"github.com/cdncsr/cdncsr/cdn/cdntest"
	"github.com/cdncsr/cdncsr/csr"
	"github.com/cdncsr/cdncsr/signer"
)

// A certificate goes onto a domain, whoever has its key.
func ExampleInstaller() {
	install := func(ctx context.Context, client *cdn.Client, domain string, chain []byte) error {
		installer := &cdn.Installer{Client: client, Keys: csr.DirStore{Path: "keys"}}
		done, err := installer.Install(ctx, domain, chain) // chain: PEM, the domain's certificate first
		if err != nil {
			return err
		}
		fmt.Println(done.Domain, "has it; the key:", done.KeyOrigin)
		return installer.Wait(ctx, domain, chain) // until it is in force
	}
	_ = install
}

// Many domains are a loop: a few at a time, and an error for each.
func ExampleInstaller_Install_manyDomains() {
	installer, chain := exampleInstaller("a.example.com", "b.example.com")
	domains := []string{"a.example.com", "b.example.com", "gone.example.com"}

	errs := make([]error, len(domains))
	var group sync.WaitGroup
	atATime := make(chan struct{}, 4)
	for i, domain := range domains {
		atATime <- struct{}{}
		group.Go(func() {
			defer func() { <-atATime }()
			ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
			defer cancel()
			_, errs[i] = installer.Install(ctx, domain, chain)
		})
	}
	group.Wait()
	for i, domain := range domains {
		fmt.Println(domain, errs[i] == nil)
	}
	// Output:
	// a.example.com true
	// b.example.com true
	// gone.example.com false
}

// exampleInstaller returns an installer for a fake CDN with domains, and a
// chain for *.example.com whose key the installer's store has.
func exampleInstaller(domains ...string) (*cdn.Installer, []byte) {
	var t testing.T // the fixture's helpers want one; they fail only if the fixture is wrong
	api := &cdntest.API{Credentials: []signer.Credentials{testCreds}}
	for _, domain := range domains {
		api.AddDomain(domain)
	}
	client, err := cdn.NewClient(cdn.StaticCredentials(testCreds), &cdn.Options{HTTPClient: &http.Client{Transport: api}})
	if err != nil {
		panic(err)
	}
	keys := new(csr.MemStore)
	resp, err := (&csr.Generator{Keys: keys, Source: csr.P256}).CreateCdnCertificateSigningRequest(
		context.Background(), &csr.Request{CommonName: "*.example.com"})
	if err != nil {
		panic(err)
	}
	return &cdn.Installer{Client: client, Keys: keys}, newTestCA(&t).sign(&t, resp, nil)
}
