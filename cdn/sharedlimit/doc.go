// Package sharedlimit is one rate limit for all processes of an account.
//
// Alibaba Cloud CDN counts the calls of an account: 100 a second of most
// operations, 30 of SetCdnDomainSSLCertificate. The limiter of a cdn.Client
// knows only its own process. A [Limiter] of this package takes its turns from
// an engine that all processes reach, Redis or a SQL database:
//
//	limiter := &sharedlimit.Limiter{
//		Turns:     sharedlimit.SQL(db, sharedlimit.Postgres, "my-account"),
//		Processes: 8,
//		Logger:    slog.Default(),
//	}
//	client, err := cdn.NewClient(creds, &cdn.Options{Limiter: limiter})
//
// Choose [Redis] where there is one: it answers fastest and need not write to
// a disk. Otherwise choose [SQL] with the database that keeps the keys. Each
// limit needs a Limiter with an account or a key of its own.
//
// # Turns
//
// The engine keeps one value, the time of the next free turn. A call takes
// that turn in one round trip and learns how long it has to wait for it, so
// nobody polls, and only the engine's clock counts. Turns are evenly spaced:
// an idle second does not allow a burst.
//
// One request takes the turns of all calls that wait in a process, up to 16,
// while the next calls gather. No turn is taken further than one second ahead,
// so a process that crashes costs the others one second at most; calls beyond
// that ask again a little later. If the context of a call ends, its turn goes
// to the next call.
//
// # When the engine is away
//
// While the engine does not answer, each process lets through its share,
// Rate/Processes, and asks once a second whether the engine is back. An error
// counts at once, silence after one second. When the engine is back, a process
// keeps to its share for two more seconds, until the others have noticed too.
//
// If some processes reach the engine and others do not, up to twice the rate
// may pass.
package sharedlimit
