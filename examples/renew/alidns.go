package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/mholt/acmez/v3/acme"

	"github.com/cdncsr/cdncsr/cdn"
	"github.com/cdncsr/cdncsr/signer"
)

// aliDNS proves names by TXT records in Alibaba Cloud DNS (dns-01, RFC 8555
// section 8.4). It needs the RAM actions alidns:GetMainDomainName,
// AddDomainRecord, DeleteDomainRecord and DescribeDomainRecords.
type aliDNS struct {
	client *cdn.Client   // with the endpoint of Alibaba Cloud DNS
	pause  time.Duration // until a record is seen everywhere

	mu      sync.Mutex
	records map[string]string // record IDs by the value of the record
}

// call makes a call of the API of 2015-01-09.
func (d *aliDNS) call(ctx context.Context, action string, params map[string]string, resp any) error {
	return d.client.Do(ctx, signer.Call{Action: action, Version: "2015-01-09", Params: params}, resp)
}

// Present adds the record. The zone is what Alibaba Cloud DNS says it is; a
// CNAME is not followed, since a wildcard's answers for the name until the
// record exists.
func (d *aliDNS) Present(ctx context.Context, challenge acme.Challenge) error {
	name, value := challenge.DNS01TXTRecordName(), challenge.DNS01KeyAuthorization()
	var zone struct{ DomainName, RR string }
	if err := d.call(ctx, "GetMainDomainName", map[string]string{"InputString": strings.TrimSuffix(name, ".")}, &zone); err != nil {
		return err
	}
	if zone.DomainName == "" || zone.RR == "" {
		return fmt.Errorf("alidns: no zone for %s", name)
	}
	var added struct{ RecordId string }
	err := d.call(ctx, "AddDomainRecord", map[string]string{
		"DomainName": zone.DomainName, "RR": zone.RR, "Type": "TXT", "Value": value,
	}, &added)
	if failed, ok := errors.AsType[*cdn.Error](err); ok && failed.Code == "DomainRecordDuplicate" {
		// An answer was lost, or an earlier run was killed: the record is there.
		added.RecordId, err = d.find(ctx, zone.DomainName, zone.RR, value)
	}
	if err != nil {
		return err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.records == nil {
		d.records = map[string]string{}
	}
	d.records[value] = added.RecordId
	return nil
}

// find returns the ID of a record.
func (d *aliDNS) find(ctx context.Context, zone, rr, value string) (string, error) {
	var found struct {
		DomainRecords struct {
			Record []struct{ RecordId, RR, Type, Value string }
		}
	}
	err := d.call(ctx, "DescribeDomainRecords", map[string]string{
		"DomainName": zone, "RRKeyWord": rr, "TypeKeyWord": "TXT", "ValueKeyWord": value,
	}, &found)
	if err != nil {
		return "", err
	}
	for _, record := range found.DomainRecords.Record {
		if record.RR == rr && record.Value == value {
			return record.RecordId, nil
		}
	}
	return "", fmt.Errorf("alidns: %s.%s has no such record, though adding it said so", rr, zone)
}

// Wait waits until the record is seen by the CA's resolvers.
func (d *aliDNS) Wait(ctx context.Context, _ acme.Challenge) error {
	timer := time.NewTimer(d.pause)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// CleanUp removes the record.
func (d *aliDNS) CleanUp(ctx context.Context, challenge acme.Challenge) error {
	value := challenge.DNS01KeyAuthorization()
	d.mu.Lock()
	id, ok := d.records[value]
	delete(d.records, value)
	d.mu.Unlock()
	if !ok {
		return nil
	}
	return d.call(ctx, "DeleteDomainRecord", map[string]string{"RecordId": id}, nil)
}
