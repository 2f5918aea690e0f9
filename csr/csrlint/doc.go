// Package csrlint finds what a public CA would refuse or change in a
// certificate signing request (CSR, PKCS #10, RFC 2986) of any program. [Lint]
// takes the CSR and returns a [Finding] for each mistake:
//
//	pem, err := os.ReadFile("example.com.csr")
//	if err != nil {
//		log.Fatal(err)
//	}
//	for _, finding := range csrlint.Lint(pem) {
//		fmt.Println(finding)
//	}
//
// A finding is either refused or changed. If it is refused, at least one large
// CA issues no certificate for the CSR. If it is changed, CAs issue a
// certificate that differs from the CSR: they add a common name that is missing
// among the names, and leave out the organizational unit that the CDN puts into
// every CSR.
//
// # Sources
//
// [Finding].Source names the document or the program that a rule comes from:
//
//   - BR: the CA/Browser Forum's Baseline Requirements for TLS server
//     certificates, by section.
//   - RFC 2985, 2986, 5280, 5890, 7468 and 8017, ITU-T X.680 and X.690: what a
//     CSR is. A breach counts as refused if Go's crypto/x509, openssl or GnuTLS
//     can't read the CSR, its subject or its names, or can't verify its
//     signature: most CAs use one of these.
//   - openssl 3.0 and GnuTLS 3.7: what one of them can't read although
//     crypto/x509 does. What all three read and ignore, such as surplus
//     parameters of a signature algorithm, is not reported.
//   - Boulder, the software of Let's Encrypt, by package: goodkey, csr, policy
//     and ra, version v0.20260921.0.
//   - zlint, which CAs run on certificates before they issue them, version
//     3.7.3.
//
// The characters that Lint calls invisible are those that package csr refuses
// in a subject: controls, line and paragraph separators, noncharacters, U+FFFD,
// and Unicode's Default_Ignorable_Code_Point without the two joiners.
//
// The tests compare Lint with all of these programs except Boulder's package
// ra, which needs a database.
//
// Lint does not check what only a CA knows: CAA records, leaked keys, and names
// that the CA does not issue for.
package csrlint
