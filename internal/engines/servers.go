package engines

import (
	"bufio"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	_ "github.com/go-sql-driver/mysql" // the driver "mysql"
	_ "github.com/jackc/pgx/v5/stdlib" // the driver "pgx"
)

// Postgres starts PostgreSQL. Settings are further arguments of its server,
// such as "-c", "synchronous_commit=off".
func Postgres(tb testing.TB, settings ...string) *Engine {
	tb.Helper()
	return start(tb, kind{
		name: "postgres", program: "/usr/lib/postgresql/*/bin/postgres", user: "postgres", driver: "pgx",
		stop: syscall.SIGINT,  // a fast shutdown
		end:  syscall.SIGQUIT, // an immediate one; after SIGKILL the children live on for a moment
		prepare: func(program, dir string) *exec.Cmd {
			return exec.Command(beside(program, "initdb"), "--pgdata="+dir, "--username=postgres",
				"--auth=trust", "--encoding=UTF8", "--locale=C", "--no-sync")
		},
		args: func(dir, port string) []string {
			return []string{"-D", dir, "-h", "127.0.0.1", "-p", port, "-k", ""}
		},
		dsn: func(a Access) string {
			if a.User == "" {
				a.User = "postgres"
			}
			return "postgres://" + a.User + "@" + a.Addr + "/postgres?" + join("sslmode=disable", a.Params)
		},
		ping: func(ctx context.Context, dsn string) error { return pingSQL(ctx, "pgx", dsn) },
	}, settings)
}

// MariaDB starts MariaDB, with an empty database named test. Settings are
// further arguments of its server, such as
// "--innodb-flush-log-at-trx-commit=2".
func MariaDB(tb testing.TB, settings ...string) *Engine {
	tb.Helper()
	return start(tb, kind{
		name: "mariadb", program: "/usr/sbin/mariadbd", user: "mysql", driver: "mysql",
		stop: syscall.SIGTERM, end: syscall.SIGKILL,
		prepare: func(_, dir string) *exec.Cmd {
			return exec.Command("mariadb-install-db", "--no-defaults", "--datadir="+dir, "--auth-root-authentication-method=normal")
		},
		args: func(dir, port string) []string {
			return []string{
				"--no-defaults", "--datadir=" + dir, "--bind-address=127.0.0.1", "--port=" + port,
				"--socket=" + filepath.Join(dir, "socket"), "--pid-file=" + filepath.Join(dir, "pid"),
			}
		},
		dsn: func(a Access) string {
			if a.User == "" {
				a.User = "root"
			}
			return a.User + "@tcp(" + a.Addr + ")/test?" + a.Params
		},
		ping: func(ctx context.Context, dsn string) error { return pingSQL(ctx, "mysql", dsn) },
	}, settings)
}

// Redis starts Redis, which keeps its data in an append-only file. Settings
// are further arguments of its server, such as "--maxclients", "100".
func Redis(tb testing.TB, settings ...string) *Engine {
	tb.Helper()
	return start(tb, kind{
		name: "redis", program: "/usr/bin/redis-server", user: "redis",
		stop: syscall.SIGTERM, end: syscall.SIGKILL,
		args: func(dir, port string) []string {
			return []string{"--bind", "127.0.0.1", "--port", port, "--dir", dir, "--save", "", "--appendonly", "yes"}
		},
		dsn: func(a Access) string {
			if a.User != "" {
				a.User += "@"
			}
			return "redis://" + a.User + a.Addr + "/0?" + a.Params
		},
		ping: pingRedis,
	}, settings)
}

func join(params, more string) string {
	if more == "" {
		return params
	}
	return params + "&" + more
}

func pingSQL(ctx context.Context, driver, dsn string) error {
	db, err := sql.Open(driver, dsn)
	if err != nil {
		return err
	}
	return errors.Join(db.PingContext(ctx), db.Close())
}

func pingRedis(ctx context.Context, dsn string) error {
	address, err := url.Parse(dsn)
	if err != nil {
		return err
	}
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", address.Host)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close() }() // the answer has been read
	if err := conn.SetDeadline(time.Now().Add(time.Second)); err != nil {
		return err
	}
	if _, err := io.WriteString(conn, "PING\r\n"); err != nil {
		return err
	}
	answer, err := bufio.NewReader(conn).ReadString('\n')
	if err == nil && answer != "+PONG\r\n" {
		err = fmt.Errorf("ping: %q", answer)
	}
	return err
}
