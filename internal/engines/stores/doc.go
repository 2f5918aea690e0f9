// Package stores has tests alone: they prove what csr/sealed and csr/sqlstore
// promise against PostgreSQL, MariaDB and SQLite, through each driver that
// users are likely to have.
//
// Three of them are longer on demand: CDNCSR_CUTS is the number of connections
// that are cut for each driver and place, CDNCSR_CRASHES that of crashes for
// each engine.
package stores
