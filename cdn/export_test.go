package cdn

// UserAgent is the library's own.
const UserAgent = userAgent

// NewTransport lets tests give the client's own transport the certificate of a server on loopback.
var NewTransport = newTransport
