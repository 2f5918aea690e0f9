package cdn

// UserAgent is the one of the library alone.
var UserAgent = libraryAgent()

// NewTransport lets tests give the client's own transport the certificate of a server on loopback.
var NewTransport = newTransport
