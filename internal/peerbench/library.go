package main

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"net/url"

	"golang.org/x/time/rate"

	"github.com/cdncsr/cdncsr/cdn"
	"github.com/cdncsr/cdncsr/signer"
)

// errNoCSR is the error of an answer that is not complete.
var errNoCSR = errors.New("the answer has no CSR")

var (
	endpoint = &url.URL{Scheme: "https", Host: "cdn.aliyuncs.com"}
	signed   = signer.Call{Action: actionName, Version: actionVersion, Params: parameters}
)

// newFloor posts a form that is signed already and reads the answer without
// decoding it. It shows the cost of net/http.
func newFloor(address string) (contender, error) {
	req, err := signer.RPC{}.Sign(context.Background(), endpoint, signed, signer.Input{Credentials: creds})
	if err != nil {
		return contender{}, err
	}
	form, err := io.ReadAll(req.Body)
	if err != nil {
		return contender{}, err
	}
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: crowd, MaxConnsPerHost: crowd}}
	return contender{name: floorName, do: func() error {
		resp, err := client.Post(address+"/", "application/x-www-form-urlencoded", bytes.NewReader(form))
		if err != nil {
			return err
		}
		defer func() { _ = resp.Body.Close() }() // the body has been read
		if resp.ContentLength != int64(len(answer)) {
			return errNoCSR
		}
		_, err = io.ReadFull(resp.Body, make([]byte, resp.ContentLength))
		return err
	}}, nil
}

func newLibraryRPC(address string) (contender, error) {
	return newLibrary(libraryRPC, address, signer.RPC{})
}

func newLibraryACS3(address string) (contender, error) {
	return newLibrary(libraryACS3, address, signer.ACS3{})
}

func newClient(address string, s signer.Signer) (*cdn.Client, error) {
	return cdn.NewClient(cdn.StaticCredentials(creds), &cdn.Options{
		Endpoint: address, Signer: s, Limiter: rate.NewLimiter(rate.Inf, 0),
	})
}

func newLibrary(name, address string, s signer.Signer) (contender, error) {
	client, err := newClient(address, s)
	return contender{name: name, do: func() error {
		resp, err := client.CreateCdnCertificateSigningRequest(context.Background(), &asked)
		if err == nil && resp.Csr == "" {
			err = errNoCSR
		}
		return err
	}}, err
}

func newRPCSigner() (contender, error) {
	return contender{name: libraryRPC, base: sdkV1, do: signWith(signer.RPC{})}, nil
}

func newACS3Signer() (contender, error) {
	return contender{name: libraryACS3, base: sdkV2, do: signWith(signer.ACS3{})}, nil
}

func signWith(s signer.Signer) func() error {
	return func() error {
		_, err := s.Sign(context.Background(), endpoint, signed, signer.Input{Credentials: creds})
		return err
	}
}
