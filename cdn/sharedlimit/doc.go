// Package sharedlimit is one rate limit for all processes of an account.
//
// Alibaba Cloud CDN counts the calls of an account: 100 a second of most
// operations, 30 of SetCdnDomainSSLCertificate. The limiter of a cdn.Client
// knows its own process only. A [Limiter] of this package takes its turns from
// a database that all processes reach:
//
//	limiter := &sharedlimit.Limiter{
//		Turns:     sharedlimit.SQL(db, sharedlimit.Postgres, "my-account"),
//		Processes: 8,
//		Logger:    slog.Default(),
//	}
//	client, err := cdn.NewClient(creds, &cdn.Options{Limiter: limiter})
//
// [Redis] is the first choice where there is one, since it answers fastest and
// doesn't write to a disk; else [SQL], in the database that keeps the keys.
//
// # Turns
//
// The engine keeps one value, the time of the next free turn, and a call takes
// that turn in one round trip and is told how long it is until then. Nobody
// polls. Only the engine's clock counts. Turns are evenly spaced: an idle
// second is not made up for by a burst.
//
// Of the calls that wait in a process one request takes the turns, up to 16
// at once, while the next calls gather. No turn is taken further than one
// second ahead, so a process that crashes costs the others a second at most;
// calls beyond that ask again a little later. A call whose context ends leaves
// its turn to the next one.
//
// # When the engine is away
//
// While the engine doesn't answer, each process lets through its share,
// Rate/Processes, and asks once a second whether the engine is back. It takes
// an error of the engine at once and gives up a silent one after a second.
// For two seconds after the engine is back it keeps to its share, so that the
// processes that haven't noticed yet find room. Processes that can reach the
// engine while others can't don't know of each other: together they let up to
// twice the rate through.
package sharedlimit
