package main

import (
	"encoding/base64"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"

	"github.com/redis/go-redis/v9"

	"github.com/cdncsr/cdncsr/csr/sealed"
)

// config is what the environment says. Credentials of the CDN are read by
// cdn.EnvCredentials.
type config struct {
	addr        string          // ADDR: HOST:PORT to listen on
	databaseURL string          // DATABASE_URL: of PostgreSQL's primary
	redis       *redis.Options  // REDIS_URL
	ring        *sealed.Keyring // RING_FILE: 32 bytes in base64 on each line; the first seals
	processes   int             // PROCESSES: how many share the limit
	endpoint    string          // CDN_ENDPOINT; empty: the CDN's own
}

// readConfig returns an error that names every variable that is missing or
// invalid.
func readConfig(getenv func(string) string) (*config, error) {
	var mistakes []error
	need := func(name string) string {
		value := getenv(name)
		if value == "" {
			mistakes = append(mistakes, fmt.Errorf("%s: is not set", name))
		}
		return value
	}
	c := &config{addr: need("ADDR"), databaseURL: need("DATABASE_URL"), endpoint: getenv("CDN_ENDPOINT")}
	var err error
	if text := need("PROCESSES"); text != "" {
		if c.processes, err = strconv.Atoi(text); err != nil || c.processes < 1 {
			mistakes = append(mistakes, fmt.Errorf("PROCESSES: %q: is not a positive number", text))
		}
	}
	if url := need("REDIS_URL"); url != "" {
		if c.redis, err = parseRedis(url); err != nil {
			mistakes = append(mistakes, err)
		}
	}
	if path := need("RING_FILE"); path != "" {
		if c.ring, err = readRing(path); err != nil {
			mistakes = append(mistakes, fmt.Errorf("RING_FILE: %w", err))
		}
	}
	return c, errors.Join(mistakes...)
}

// parseRedis returns options with which the limiter notices an outage at once:
// by default the client ignores the time that a request has, and dials again
// and again. The URL may have a password and is not in the error.
func parseRedis(url string) (*redis.Options, error) {
	options, err := redis.ParseURL(url)
	if err != nil {
		return nil, errors.New("REDIS_URL: is not a URL like redis://HOST:6379/0")
	}
	options.ContextTimeoutEnabled = true
	options.MaxRetries = -1
	options.DialerRetries = 1
	return options, nil
}

// readRing reads the keys that seal and open. An error has the number of the
// line, never its text.
func readRing(path string) (*sealed.Keyring, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	defer clear(text)
	var keys [][]byte
	for i, line := range strings.Fields(string(text)) {
		key, err := base64.StdEncoding.DecodeString(line)
		if err != nil {
			return nil, fmt.Errorf("%s: key %d is not base64", path, i+1)
		}
		keys = append(keys, key)
	}
	if len(keys) == 0 {
		return nil, fmt.Errorf("%s: has no key", path)
	}
	return sealed.NewKeyring(keys[0], keys[1:]...)
}
