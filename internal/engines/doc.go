// Package engines starts the database engines of the system for tests: each in
// a directory of its own, on a loopback port, and only while the test runs.
// The module's tests prove against them what the packages csr/sealed,
// csr/sqlstore and cdn/sharedlimit promise. It is a module of its own so that
// those who use the library do not download drivers.
//
// A test that needs an engine which is not installed is skipped; if the
// environment has CI=true it fails. On Debian they are the packages
// postgresql, mariadb-server, redis-server and, for its program, sqlite3.
//
// The tests run for a minute or two. The environment makes them longer:
// CDNCSR_CUTS is how often each driver's connection is cut at each place (the
// default is 30), CDNCSR_CRASHES is how often each engine is killed under load
// (2), and CDNCSR_ENGINES_FULL=1 races for 1,000 keys instead of 250 and holds
// the shared limit to the figures of an idle machine.
package engines
