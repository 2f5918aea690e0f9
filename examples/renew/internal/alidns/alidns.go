// Package alidns proves names by TXT records in Alibaba Cloud DNS (dns-01, RFC
// 8555 section 8.4). It needs the RAM actions alidns:GetMainDomainName,
// AddDomainRecord, DeleteDomainRecord and DescribeDomainRecords.
package alidns

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/mholt/acmez/v3/acme"

	"github.com/cdncsr/cdncsr/cdn"
	"github.com/cdncsr/cdncsr/examples/internal/cli"
	"github.com/cdncsr/cdncsr/signer"
)

// A Solver adds the records and removes them. It implements acmez.Solver and
// acmez.Waiter, and is safe for concurrent use.
type Solver struct {
	Client *cdn.Client   // with the endpoint of Alibaba Cloud DNS
	Pause  time.Duration // until a record is seen everywhere

	records sync.Map // of record, by value
}

// A record was added, or may have been.
type record struct {
	zone, rr, value string
	id              string    // empty if the answer was lost
	seen            time.Time // everywhere
}

// call makes a call of the API of 2015-01-09.
func (s *Solver) call(ctx context.Context, action string, params map[string]string, resp any) error {
	return s.Client.Do(ctx, signer.Call{Action: action, Version: "2015-01-09", Params: params}, resp)
}

// Present adds the record. The zone is what Alibaba Cloud DNS says it is; a
// CNAME is not followed, since a wildcard's answers for the name until the
// record exists.
func (s *Solver) Present(ctx context.Context, challenge acme.Challenge) error {
	name := strings.TrimSuffix(challenge.DNS01TXTRecordName(), ".")
	var zone struct{ DomainName, RR string }
	if err := s.call(ctx, "GetMainDomainName", map[string]string{"InputString": name}, &zone); err != nil {
		return err
	}
	if zone.DomainName == "" || zone.RR == "" {
		return fmt.Errorf("alidns: no zone for %s", name)
	}
	r := record{zone: zone.DomainName, rr: zone.RR, value: challenge.DNS01KeyAuthorization()}
	s.records.Store(r.value, r) // whatever happens from here on
	var added struct{ RecordId string }
	err := s.call(ctx, "AddDomainRecord", map[string]string{
		"DomainName": r.zone, "RR": r.rr, "Type": "TXT", "Value": r.value,
	}, &added)
	if err != nil && !hasCode(err, "DomainRecordDuplicate") { // an answer was lost, or an earlier run was killed
		return err
	}
	r.id, r.seen = added.RecordId, time.Now().Add(s.Pause)
	s.records.Store(r.value, r)
	return nil
}

// Wait waits until the record is seen by the CA's resolvers.
func (s *Solver) Wait(ctx context.Context, challenge acme.Challenge) error {
	known, _ := s.records.Load(challenge.DNS01KeyAuthorization())
	r, _ := known.(record) // zero if it was not added
	return cli.Sleep(ctx, time.Until(r.seen))
}

// CleanUp removes the record. It is no error if there is none.
func (s *Solver) CleanUp(ctx context.Context, challenge acme.Challenge) (err error) {
	known, _ := s.records.LoadAndDelete(challenge.DNS01KeyAuthorization())
	r, ok := known.(record)
	if ok && r.id == "" {
		r.id, err = s.find(ctx, r)
	}
	if err != nil || r.id == "" {
		return err
	}
	err = s.call(ctx, "DeleteDomainRecord", map[string]string{"RecordId": r.id}, nil)
	if hasCode(err, "DomainRecordNotBelongToUser") {
		return nil // it is gone: the answer to the first attempt was lost
	}
	return err
}

// find returns the ID of a record; empty if there is none such.
func (s *Solver) find(ctx context.Context, r record) (string, error) {
	var found struct {
		DomainRecords struct {
			Record []struct{ RecordId, RR, Value string }
		}
	}
	err := s.call(ctx, "DescribeDomainRecords", map[string]string{
		"DomainName": r.zone, "RRKeyWord": r.rr, "TypeKeyWord": "TXT", "ValueKeyWord": r.value,
	}, &found)
	for _, known := range found.DomainRecords.Record {
		if known.RR == r.rr && known.Value == r.value {
			return known.RecordId, nil
		}
	}
	return "", err
}

// hasCode reports whether err is an error of the API with that code.
func hasCode(err error, code string) bool {
	failed, ok := errors.AsType[*cdn.Error](err)
	return ok && failed.Code == code
}
