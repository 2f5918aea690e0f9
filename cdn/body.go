package cdn

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"sync"
)

const (
	maxBody     = 1 << 20  // how much of an answer is read, after decompression
	maxKeptBody = 64 << 10 // how large a buffer may be to be used again; an answer has 2 KiB
)

// bodies are buffers for the answers of a client's calls. The zero value is ready.
type bodies struct{ pool sync.Pool }

// bodyBuffer holds an answer until it is decoded.
type bodyBuffer struct {
	bytes.Buffer
	limited io.LimitedReader
}

func (b *bodies) take() *bodyBuffer {
	if body, ok := b.pool.Get().(*bodyBuffer); ok {
		return body
	}
	return new(bodyBuffer)
}

func (b *bodies) put(body *bodyBuffer) {
	if body.Cap() > maxKeptBody {
		return
	}
	body.Reset()
	b.pool.Put(body)
}

// read reads the body of resp, and a byte more than it may have to tell whether it has more.
func (b *bodyBuffer) read(resp *http.Response) error {
	b.limited = io.LimitedReader{R: resp.Body, N: maxBody + 1}
	n, err := b.ReadFrom(&b.limited)
	b.limited.R = nil
	if err != nil {
		return err
	}
	if n > maxBody {
		return fmt.Errorf("the answer has more than %d bytes: is the endpoint right?", maxBody)
	}
	return nil
}
