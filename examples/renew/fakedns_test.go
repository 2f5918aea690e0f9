package main

import (
	"crypto/hmac"
	"crypto/sha1"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
)

// A fakeDNS is Alibaba Cloud DNS with one zone: its API of 2015-01-09, which
// checks the signature, and a name server that knows the records.
type fakeDNS struct {
	url, addr, zone string

	mu      sync.Mutex
	records map[string][2]string // RR and value, by ID
	added   int
	lose    map[string]int // how many answers of an action are lost after the work is done
	onLoss  func()         // if non-nil, called before an answer is lost
}

func startFakeDNS(t *testing.T, zone string) *fakeDNS {
	t.Helper()
	f := &fakeDNS{zone: zone, records: map[string][2]string{}, lose: map[string]int{}}
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { f.serve(t, w, r) }))
	t.Cleanup(srv.Close)
	f.url, f.addr = srv.URL, serveDNS(t, f.texts)
	return f
}

// texts returns the values of the TXT records of a name.
func (f *fakeDNS) texts(name string) []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	var texts []string
	for _, record := range f.records {
		if strings.EqualFold(record[0]+"."+f.zone, name) {
			texts = append(texts, record[1])
		}
	}
	return texts
}

// left returns how many records there are, and how many were added.
func (f *fakeDNS) left() (left, added int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return len(f.records), f.added
}

func (f *fakeDNS) serve(t *testing.T, w http.ResponseWriter, r *http.Request) {
	assert.NoError(t, r.ParseForm())
	p := r.Form
	assert.Equal(t, "2015-01-09", p.Get("Version"))
	status, answer := http.StatusBadRequest, any(map[string]string{"Code": "SignatureDoesNotMatch", "RequestId": "R"})
	if p.Get("Signature") == rpcSignature(r.Method, p, "testsecret") {
		if code, resp := f.answer(p); code == "" {
			status, answer = http.StatusOK, resp
		} else {
			answer = map[string]string{"Code": code, "Message": "refused", "RequestId": "R"}
		}
	}
	f.mu.Lock()
	lost := f.lose[p.Get("Action")] > 0
	f.lose[p.Get("Action")]--
	f.mu.Unlock()
	if lost {
		if f.onLoss != nil {
			f.onLoss()
		}
		panic(http.ErrAbortHandler)
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	assert.NoError(t, json.NewEncoder(w).Encode(answer))
}

// answer does the work of a call. It returns an error code or an answer.
func (f *fakeDNS) answer(p url.Values) (code string, resp any) {
	f.mu.Lock()
	defer f.mu.Unlock()
	switch p.Get("Action") {
	case "GetMainDomainName":
		rr, ok := strings.CutSuffix(p.Get("InputString"), "."+f.zone)
		if !ok {
			return "InvalidDomainName.NoExist", nil
		}
		return "", map[string]string{"DomainName": f.zone, "RR": rr, "RequestId": "R"}
	case "AddDomainRecord":
		record := [2]string{p.Get("RR"), p.Get("Value")}
		for _, known := range f.records {
			if known == record {
				return "DomainRecordDuplicate", nil
			}
		}
		f.added++
		id := strconv.Itoa(f.added)
		f.records[id] = record
		return "", map[string]string{"RecordId": id, "RequestId": "R"}
	case "DescribeDomainRecords":
		type record struct{ RecordId, RR, Type, Value string }
		list := []record{}
		for id, known := range f.records {
			if strings.Contains(known[0], p.Get("RRKeyWord")) && strings.Contains(known[1], p.Get("ValueKeyWord")) {
				list = append(list, record{id, known[0], "TXT", known[1]})
			}
		}
		return "", map[string]any{"DomainRecords": map[string]any{"Record": list}, "RequestId": "R"}
	case "DeleteDomainRecord":
		if _, ok := f.records[p.Get("RecordId")]; !ok {
			return "DomainRecordNotBelongToUser", nil
		}
		delete(f.records, p.Get("RecordId"))
		return "", map[string]string{"RecordId": p.Get("RecordId"), "RequestId": "R"}
	}
	return "InvalidAction.NotFound", nil
}

// rpcSignature returns the signature of RPC 1.0 over params, written anew from
// its description.
func rpcSignature(method string, params url.Values, secret string) string {
	escape := func(s string) string {
		return strings.NewReplacer("+", "%20", "*", "%2A", "%7E", "~").Replace(url.QueryEscape(s))
	}
	var pairs []string
	for name, values := range params {
		if name != "Signature" {
			pairs = append(pairs, escape(name)+"="+escape(values[0]))
		}
	}
	slices.Sort(pairs)
	mac := hmac.New(sha1.New, []byte(secret+"&"))
	mac.Write([]byte(method + "&%2F&" + escape(strings.Join(pairs, "&"))))
	return base64.StdEncoding.EncodeToString(mac.Sum(nil))
}
