package main

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha1"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// newByHand returns the call as a program would write it by hand: a time-out,
// the RPC signature, and the four fields of the answer. It checks nothing,
// tries once, and knows no error of the service.
func newByHand(address string) (contender, error) {
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: crowd, MaxConnsPerHost: crowd}}
	return contender{name: byHand, do: func() error {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		form := signedByHand()
		req, err := http.NewRequestWithContext(ctx, http.MethodPost, address+"/", strings.NewReader(form))
		if err != nil {
			return err
		}
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		resp, err := client.Do(req)
		if err != nil {
			return err
		}
		defer func() { _ = resp.Body.Close() }() // the body has been read
		var decoded struct{ RequestId, CommonName, Csr, PubMd5 string }
		if err := json.NewDecoder(resp.Body).Decode(&decoded); err != nil {
			return err
		}
		if decoded.Csr == "" {
			return errNoCSR
		}
		return nil
	}}, nil
}

// signedByHand returns the form of the request.
func signedByHand() string {
	params := url.Values{
		"AccessKeyId": {accessKeyID}, "Action": {actionName}, "Format": {"JSON"}, "SignatureMethod": {"HMAC-SHA1"},
		"SignatureNonce": {rand.Text()}, "SignatureVersion": {"1.0"},
		"Timestamp": {time.Now().UTC().Format("2006-01-02T15:04:05Z")}, "Version": {actionVersion},
	}
	for name, value := range parameters {
		params.Set(name, value)
	}
	form := strings.NewReplacer("+", "%20", "*", "%2A", "%7E", "~").Replace(params.Encode())
	mac := hmac.New(sha1.New, []byte(accessSecret+"&"))
	mac.Write([]byte("POST&%2F&" + url.QueryEscape(form)))
	return form + "&Signature=" + url.QueryEscape(base64.StdEncoding.EncodeToString(mac.Sum(nil)))
}
