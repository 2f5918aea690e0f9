package cdn

import "net/http"

// UserAgent is that of the library alone.
var UserAgent = libraryAgent()

// NewTransport returns a transport like the client's own.
var NewTransport = newTransport

// OwnTransport returns the client's own transport, for a test to change before
// the first call.
func OwnTransport(c *Client) *http.Transport { return c.connections.Load().transport }
