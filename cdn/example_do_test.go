package cdn_test

import (
	"context"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"

	"github.com/jarcoal/httpmock"

	"github.com/cdncsr/cdncsr/cdn"
	"github.com/cdncsr/cdncsr/signer"
)

// Do calls the operations of the CDN that have no method of their own.
func ExampleClient_Do() {
	mock := httpmock.NewMockTransport() // in place of the CDN
	mock.RegisterResponder("POST", "https://cdn.aliyuncs.com/", httpmock.NewStringResponder(http.StatusOK,
		`{"RequestId": "BFFCDFAD-DACC-484E-9BE6-0AF3B3A0DD23", "DomainQuota": 50, "RefreshUrlQuota": 2000}`))
	creds := signer.Credentials{AccessKeyID: "testid", AccessKeySecret: "testsecret"}
	client, err := cdn.NewClient(cdn.StaticCredentials(creds), &cdn.Options{HTTPClient: &http.Client{Transport: mock}})
	if err != nil {
		log.Fatal(err)
	}

	var quota struct {
		DomainQuota     int
		RefreshUrlQuota int
	}
	if err := client.Do(context.Background(), signer.Call{Action: "DescribeCdnUserQuota"}, &quota); err != nil {
		log.Fatal(err)
	}
	fmt.Println(quota.DomainQuota, "domains,", quota.RefreshUrlQuota, "refreshes a day")
	// Output: 50 domains, 2000 refreshes a day
}

// Another service of the same style needs a client with its endpoint, and the
// version of its API in each call.
func ExampleClient_Do_anotherService() {
	// In place of Alibaba Cloud DNS, https://alidns.aliyuncs.com.
	dns := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Println("asked for", r.PostFormValue("Action"), r.PostFormValue("Version"))
		_, _ = io.WriteString(w, `{"RequestId": "536E9CAD", "TotalCount": 1, "Domains": {"Domain": [{"DomainName": "example.com"}]}}`)
	}))
	defer dns.Close()
	creds := signer.Credentials{AccessKeyID: "testid", AccessKeySecret: "testsecret"}
	client, err := cdn.NewClient(cdn.StaticCredentials(creds), &cdn.Options{Endpoint: dns.URL})
	if err != nil {
		log.Fatal(err)
	}
	defer client.CloseIdleConnections()

	var zones struct {
		Domains struct{ Domain []struct{ DomainName string } }
	}
	err = client.Do(context.Background(), signer.Call{
		Action:  "DescribeDomains",
		Version: "2015-01-09",
		Params:  map[string]string{"PageSize": "100"},
	}, &zones)
	if err != nil {
		log.Fatal(err)
	}
	for _, zone := range zones.Domains.Domain {
		fmt.Println(zone.DomainName)
	}
	// Output:
	// asked for DescribeDomains 2015-01-09
	// example.com
}
