package cdn_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"net/http"

	"github.com/cdncsr/cdncsr/cdn"
	"github.com/cdncsr/cdncsr/cdn/cdntest"
	"github.com/cdncsr/cdncsr/csr"
	"github.com/cdncsr/cdncsr/signer"
)

// errors.Is says what to correct: the request, the credentials, or nothing.
// errors.As has the details.
func ExampleError() {
	right := signer.Credentials{AccessKeyID: "testid", AccessKeySecret: "testsecret"}
	wrong := signer.Credentials{AccessKeyID: "testid", AccessKeySecret: "mistyped"}
	fake := &cdntest.API{Credentials: []signer.Credentials{right}} // in place of the CDN
	client, err := cdn.NewClient(cdn.StaticCredentials(wrong), &cdn.Options{HTTPClient: &http.Client{Transport: fake}})
	if err != nil {
		log.Fatal(err)
	}

	for _, country := range []string{"CHN", "CN"} {
		_, err = client.CreateCdnCertificateSigningRequest(context.Background(), &csr.Request{
			CommonName: "example.com",
			Country:    country,
		})
		switch {
		case errors.Is(err, cdn.ErrInvalidRequest):
			var mistakes csr.FieldErrors // if it was refused before it was sent
			if errors.As(err, &mistakes) {
				fmt.Println("correct the field", mistakes[0].Field+":", mistakes[0].Reason)
			}
		case errors.Is(err, cdn.ErrDenied):
			var refused *cdn.Error
			if errors.As(err, &refused) {
				fmt.Println("refused:", refused.StatusCode, refused.Code, "after", refused.Attempts, "attempt")
			}
		case errors.Is(err, cdn.ErrThrottled), errors.Is(err, cdn.ErrUnavailable):
			fmt.Println("try later")
		}
	}
	// Output:
	// correct the field Country: is not of 2 characters, such as CN
	// refused: 400 SignatureDoesNotMatch after 1 attempt
}
