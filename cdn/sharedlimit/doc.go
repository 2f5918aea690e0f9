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
// that ask again a little later, so the processes come at random then. If the
// context of a call ends, its turn goes to the next call. With a Rate below 5,
// a busy process may keep the others from their turns.
//
// A call never passes before its turn. It passes later if the engine's answer
// arrives late, and so closer to the next call: if answers take up to 50 ms at
// times, up to 5 calls more than 100 pass in a second; if up to 200 ms, 17.
// What a request takes until the engine reads its clock costs nothing.
//
// # When the engine is away
//
// An engine counts as away when its requests have failed for half a second, or
// longer if it had given turns further ahead, or one has had no answer for a
// second. Until then a process uses the turns that it holds, and a shorter
// interruption changes nothing. While the engine is away, each process lets
// through its share, Rate/Processes, and asks before each of these calls
// whether the engine is back. When it is back, a process keeps to its share for
// two more seconds, until the others have noticed too.
//
// So an outage of any length does not raise the rate: 8 or 20 processes made at
// most 104 calls in any second of it. If there are more processes than turns in
// a second, chance decides in which second the shares fall: 100 processes made
// 113, and 132 if packets were lost instead of connections refused; at a Rate
// of 30 they made 48.
//
// Up to twice the rate may pass while some processes reach the engine and
// others do not, and when outages of a second follow each other within seconds.
package sharedlimit
