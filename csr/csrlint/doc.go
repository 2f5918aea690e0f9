// Package csrlint finds what a public CA would refuse or change in a
// certificate signing request (CSR, PKCS #10, RFC 2986), whichever program made
// it. [Lint] takes the CSR and returns a [Finding] for each mistake:
//
//	pem, err := os.ReadFile("example.com.csr")
//	if err != nil {
//		log.Fatal(err)
//	}
//	for _, finding := range csrlint.Lint(pem) {
//		fmt.Println(finding)
//	}
//
// A finding is either refused or changed. A CSR with one that is refused gets no
// certificate, at least from some large CA. With one that is changed it gets a
// certificate that differs from it: a common name that is missing among the
// names is added to them, and CAs leave out the organizational unit that the
// CDN puts into every CSR.
//
// # Whose rules
//
// [Finding].Source names the document or the program that a rule comes from:
//
//   - BR: the CA/Browser Forum's Baseline Requirements for TLS server
//     certificates, by section.
//   - RFC 2985, 2986, 5280, 5890 and 7468, ITU-T X.680 and X.690: what a CSR
//     is. What they forbid counts as refused if Go's crypto/x509, openssl or
//     GnuTLS cannot read it, one of which most CAs use.
//   - Boulder, the software of Let's Encrypt, by package: goodkey, csr, policy
//     and ra, version v0.20260921.0.
//   - zlint, which CAs run on certificates before they issue them, version
//     3.7.3.
//
// The tests ask all of these programs but Boulder's package ra, which needs a
// database, whether they agree with Lint.
//
// What only a CA can know is not checked: CAA records, keys that have leaked,
// names that it does not issue for.
package csrlint
