package sqlstore_test

import (
	"context"
	"database/sql"
	"fmt"
	"log"
	"os"

	"github.com/cdncsr/cdncsr/csr"
	"github.com/cdncsr/cdncsr/csr/sealed"
	"github.com/cdncsr/cdncsr/csr/sqlstore"
)

// The program imports its driver, here github.com/jackc/pgx/v5/stdlib.
func Example() {
	ctx := context.Background()
	db, err := sql.Open("pgx", os.Getenv("DATABASE_URL")) // the primary
	if err != nil {
		log.Fatal(err)
	}
	table := &sqlstore.Table{DB: db, Dialect: sqlstore.Postgres}
	if err = table.Create(ctx); err != nil { // or a migration of sqlstore.Postgres.Schema("")
		log.Fatal(err)
	}
	if err = table.Check(ctx); err != nil {
		log.Fatal(err)
	}
	ringKey, err := os.ReadFile("/run/secrets/ring") // 32 random bytes
	if err != nil {
		log.Fatal(err)
	}
	ring, err := sealed.NewKeyring(ringKey)
	if err != nil {
		log.Fatal(err)
	}
	g := csr.Generator{Keys: &sealed.Store{Blobs: table, AEAD: ring}}
	resp, err := g.CreateCdnCertificateSigningRequest(ctx, &csr.Request{CommonName: "example.com"})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Print(resp.Csr)
}

func ExampleDialect_Schema() {
	fmt.Println(sqlstore.MySQL.Schema("cdn.keys"))
	// Output:
	// CREATE TABLE IF NOT EXISTS cdn.keys (
	// 	name  char(32) CHARACTER SET ascii COLLATE ascii_bin NOT NULL PRIMARY KEY,
	// 	value blob NOT NULL,
	// 	token binary(16) NOT NULL,
	// 	added timestamp NOT NULL DEFAULT CURRENT_TIMESTAMP
	// ) ENGINE=InnoDB
}
