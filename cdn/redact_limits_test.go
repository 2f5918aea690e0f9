package cdn

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/cdncsr/cdncsr/signer"
)

// TestRedact_EveryLetterAndDigitCounts has secrets of 16 letters and digits,
// the fewest that give a secret away in another form.
func TestRedact_EveryLetterAndDigitCounts(t *testing.T) {
	const others = "AbCdEfGhIjKlMnO"
	for _, r := range "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ" {
		secret := string(r) + others
		s := secretsOf(operation{}, nil, signer.Credentials{AccessKeyID: "id", AccessKeySecret: secret})
		assert.Equal(t, withheld, s.redact("a "+secret[:8]+"\n"+secret[8:]+" b"), "%c", r)
		assert.Equal(t, others, s.redact(others), "%c", r)
	}
}

// TestRedact_EndOfALongSecret: its last 16 letters give it away like others.
func TestRedact_EndOfALongSecret(t *testing.T) {
	const secret = "0123456789ABCDEFGHIJKLMNOP"
	s := secretsOf(operation{}, nil, signer.Credentials{AccessKeyID: "id", AccessKeySecret: secret})
	for _, part := range []string{"0123456789ABCDEF", "56789ABCDEFGHIJK", "ABCDEFGHIJKLMNOP"} {
		assert.Equal(t, withheld, s.redact("ends with "+part), part)
	}
}

// TestRedact_EscapedSecretIsReplaced: what is around a secret stays readable if
// the secret is escaped as JSON and XML usually are.
func TestRedact_EscapedSecretIsReplaced(t *testing.T) {
	const secret = `a<b>c&d"e`
	s := secretsOf(operation{}, nil, signer.Credentials{AccessKeyID: "id", AccessKeySecret: secret})
	for name, escaped := range map[string]string{
		"JSON": `a\u003cb\u003ec\u0026d\"e`,
		"XML":  `a&lt;b&gt;c&amp;d&#34;e`,
	} {
		assert.Equal(t, "the secret "+redacted+" is wrong", s.redact("the secret "+escaped+" is wrong"), name)
	}
}

// TestRedact_SecretThatLooksEscaped: a secret may have an escape in it that
// undoing another escape undoes as well.
func TestRedact_SecretThatLooksEscaped(t *testing.T) {
	for secret, echo := range map[string]string{
		`a\n<bcd`: `a\n&lt;bcd`, `a%41<bcd`: `a%41&lt;bcd`, `a&lt;"bcd`: `a&lt;\"bcd`,
	} {
		s := secretsOf(operation{}, nil, signer.Credentials{AccessKeyID: "id", AccessKeySecret: secret})
		assert.NotContains(t, s.redact("a "+echo+" b"), "bcd", secret)
	}
	for secret, echo := range map[string]string{"%41%42%43": "ABC", "%41%42%43%44": withheld} {
		s := secretsOf(operation{}, nil, signer.Credentials{AccessKeyID: "id", AccessKeySecret: secret})
		assert.Equal(t, echo, s.redact(unescape(secret)), "three letters give nothing away")
	}
}

func TestUnescape_WholeText(t *testing.T) {
	for text, want := range map[string]string{
		"%2B": "+", `\/`: "/", `\n`: "\n", `\u002b`: "+",
		"&lt;": "<", "&#9;": "\t", "&NewLine;": "\n", "&#x10FFFF;": "\U0010FFFF",
	} {
		assert.Equal(t, want, unescape(text), text)
		assert.Equal(t, "a"+want, unescape("a"+text), text)
		cut := text[:len(text)-1]
		assert.Equal(t, cut, unescape(cut), "cut short")
	}
}
