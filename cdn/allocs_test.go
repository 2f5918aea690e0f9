package cdn_test

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/time/rate"

	"github.com/cdncsr/cdncsr/cdn"
	"github.com/cdncsr/cdncsr/csr"
	"github.com/cdncsr/cdncsr/signer"
)

// TestClient_AllocatesLittle counts the allocations of the whole process, so its
// server, which is in the process too, allocates nothing for a call. The test
// shows that first.
func TestClient_AllocatesLittle(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector allocates too")
	}
	address := serveWithoutAllocating(t)
	conn, err := net.Dial("tcp", address)
	require.NoError(t, err)
	t.Cleanup(func() { _ = conn.Close() }) // nothing is lost with it
	request, reply := []byte("POST / HTTP/1.1\r\nContent-Length: 1\r\n\r\nx"), make([]byte, 4096)
	allocations, _ := perCall(t, func() error {
		_, err := conn.Write(request)
		if err == nil {
			_, err = conn.Read(reply)
		}
		return err
	})
	require.Less(t, allocations, 1.0, "of the server alone")

	for name, test := range map[string]struct {
		signer            signer.Signer
		allocations, size float64 // at most
	}{
		"RPC":  {signer.RPC{}, 80, 7700},
		"ACS3": {signer.ACS3{}, 74, 7200},
	} {
		t.Run(name, func(t *testing.T) {
			client, err := cdn.NewClient(cdn.StaticCredentials(signer.Credentials{AccessKeyID: "testid", AccessKeySecret: "testsecret"}),
				&cdn.Options{Endpoint: "http://" + address, Signer: test.signer, Limiter: rate.NewLimiter(rate.Inf, 0)})
			require.NoError(t, err)
			t.Cleanup(client.CloseIdleConnections)
			req := &csr.Request{
				CommonName: "example.com", SANs: []string{"www.example.com", "*.example.com"},
				Organization: "Example & Co", Country: "CN", State: "Zhejiang", City: "Hangzhou",
			}
			allocations, size := perCall(t, func() error {
				_, err := client.CreateCdnCertificateSigningRequest(context.Background(), req)
				return err
			})
			t.Logf("%.1f allocations, %.0f bytes a call", allocations, size)
			require.LessOrEqual(t, allocations, test.allocations)
			require.LessOrEqual(t, size, test.size)
		})
	}
}

// perCall returns what f allocates, the mean of many calls.
func perCall(t *testing.T, f func() error) (allocations, size float64) {
	t.Helper()
	const calls = 500
	for range calls { // for pools and connections
		require.NoError(t, f())
	}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for range calls {
		if err := f(); err != nil {
			t.Fatal(err)
		}
	}
	runtime.ReadMemStats(&after)
	return float64(after.Mallocs-before.Mallocs) / calls, float64(after.TotalAlloc-before.TotalAlloc) / calls
}

// serveWithoutAllocating answers every request with the same CSR until the test
// ends, and allocates for connections alone. It reads of a request only where
// its headers end, and how long its body is.
func serveWithoutAllocating(t *testing.T) (address string) {
	t.Helper()
	body := `{"RequestId":"04F0F334-1335-436C-A1D7-6C044FE73368","CommonName":"example.com","Csr":"-----BEGIN CERTIFICATE REQUEST-----\n` +
		strings.Repeat(strings.Repeat("Q", 64)+`\n`, 16) + `-----END CERTIFICATE REQUEST-----\n","PubMd5":"5d41402abc4b2a76b9719d911017c592"}`
	const headers = "Content-Type: application/json;charset=utf-8\r\nDate: Sun, 01 Mar 2026 00:00:00 GMT\r\n"
	answer := fmt.Appendf(nil, "HTTP/1.1 200 OK\r\n%sContent-Length: %d\r\n\r\n%s", headers, len(body), body)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { _ = listener.Close() }) // nothing is lost with it
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return // the test has ended
			}
			go answerAll(conn, answer)
		}
	}()
	return listener.Addr().String()
}

// answerAll answers the requests of a connection until its client closes it.
func answerAll(conn net.Conn, answer []byte) {
	defer func() { _ = conn.Close() }() // nothing is lost with it
	request := make([]byte, 0, 1<<16)
	for {
		n, err := conn.Read(request[len(request):cap(request)])
		if err != nil {
			return
		}
		request = request[:len(request)+n]
		headers, rest, whole := bytes.Cut(request, []byte("\r\n\r\n"))
		if !whole || len(rest) < contentLength(headers) {
			continue
		}
		request = request[:0]
		if _, err := conn.Write(answer); err != nil {
			return
		}
	}
}

func contentLength(headers []byte) (n int) {
	_, value, _ := bytes.Cut(headers, []byte("Content-Length: "))
	for _, digit := range value {
		if digit < '0' || digit > '9' {
			break
		}
		n = n*10 + int(digit-'0')
	}
	return n
}
