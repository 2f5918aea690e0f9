// Package engines starts the database engines of the system for tests: each in
// a directory of its own, on a loopback port, and only while the test runs.
// The module's tests prove against them what the packages csr/sealed,
// csr/sqlstore and cdn/sharedlimit promise. It is a module of its own so that
// those who use the library do not download drivers.
//
// A test that needs an engine which is not installed is skipped; if the
// environment has CI=true it fails. On Debian they are the packages
// postgresql, mariadb-server and redis-server.
package engines
