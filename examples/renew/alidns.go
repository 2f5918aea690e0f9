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
	records map[string]dnsRecord // by value
}

// A dnsRecord is a record that was added, or may have been.
type dnsRecord struct {
	zone, rr, value string
	id              string    // empty if the answer was lost
	seen            time.Time // everywhere
}

// call makes a call of the API of 2015-01-09.
func (d *aliDNS) call(ctx context.Context, action string, params map[string]string, resp any) error {
	return d.client.Do(ctx, signer.Call{Action: action, Version: "2015-01-09", Params: params}, resp)
}

// Present adds the record. The zone is what Alibaba Cloud DNS says it is; a
// CNAME is not followed, since a wildcard's answers for the name until the
// record exists.
func (d *aliDNS) Present(ctx context.Context, challenge acme.Challenge) error {
	name, value := strings.TrimSuffix(challenge.DNS01TXTRecordName(), "."), challenge.DNS01KeyAuthorization()
	var zone struct{ DomainName, RR string }
	if err := d.call(ctx, "GetMainDomainName", map[string]string{"InputString": name}, &zone); err != nil {
		return err
	}
	if zone.DomainName == "" || zone.RR == "" {
		return fmt.Errorf("alidns: no zone for %s", name)
	}
	record := dnsRecord{zone: zone.DomainName, rr: zone.RR, value: value}
	d.remember(record) // whatever happens from here on
	var added struct{ RecordId string }
	err := d.call(ctx, "AddDomainRecord", map[string]string{
		"DomainName": record.zone, "RR": record.rr, "Type": "TXT", "Value": value,
	}, &added)
	if err != nil && !hasCode(err, "DomainRecordDuplicate") { // an answer was lost, or an earlier run was killed
		return err
	}
	record.id, record.seen = added.RecordId, time.Now().Add(d.pause)
	d.remember(record)
	return nil
}

func (d *aliDNS) remember(record dnsRecord) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.records == nil {
		d.records = map[string]dnsRecord{}
	}
	d.records[record.value] = record
}

// hasCode reports whether err is an error of the API with that code.
func hasCode(err error, code string) bool {
	failed, ok := errors.AsType[*cdn.Error](err)
	return ok && failed.Code == code
}

// find returns the ID of a record; empty if there is none such.
func (d *aliDNS) find(ctx context.Context, record dnsRecord) (string, error) {
	var found struct {
		DomainRecords struct {
			Record []struct{ RecordId, RR, Type, Value string }
		}
	}
	err := d.call(ctx, "DescribeDomainRecords", map[string]string{
		"DomainName": record.zone, "RRKeyWord": record.rr, "TypeKeyWord": "TXT", "ValueKeyWord": record.value,
	}, &found)
	for _, known := range found.DomainRecords.Record {
		if known.RR == record.rr && known.Value == record.value {
			return known.RecordId, nil
		}
	}
	return "", err
}

// Wait waits until the record is seen by the CA's resolvers.
func (d *aliDNS) Wait(ctx context.Context, challenge acme.Challenge) error {
	d.mu.Lock()
	record := d.records[challenge.DNS01KeyAuthorization()]
	d.mu.Unlock()
	return sleep(ctx, time.Until(record.seen))
}

// CleanUp removes the record.
func (d *aliDNS) CleanUp(ctx context.Context, challenge acme.Challenge) (err error) {
	value := challenge.DNS01KeyAuthorization()
	d.mu.Lock()
	record, ok := d.records[value]
	delete(d.records, value)
	d.mu.Unlock()
	if ok && record.id == "" {
		record.id, err = d.find(ctx, record)
	}
	if err != nil || record.id == "" {
		return err
	}
	err = d.call(ctx, "DeleteDomainRecord", map[string]string{"RecordId": record.id}, nil)
	if hasCode(err, "DomainRecordNotBelongToUser") {
		return nil // it is gone: the answer to the first attempt was lost
	}
	return err
}
