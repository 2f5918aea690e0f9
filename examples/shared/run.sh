#!/usr/bin/env bash
# Two processes of the service on this machine, without containers: with a PostgreSQL and a Redis of their own and a fake
# CDN. It shows that the second process finds a key of the first, and ends everything.
#
#   ./run.sh         # show it
#   ./run.sh wait    # and go on serving until interrupted
#
# It needs go, curl, openssl, and Debian's packages postgresql and redis-server; none of their services has to run.
set -euo pipefail
cd "$(dirname "$0")"

fail() { echo "run.sh: $*" >&2; exit 1; }

bin=$(find /usr/lib/postgresql -maxdepth 2 -name bin 2>/dev/null | sort -V | tail -n 1)
[ -x "$bin/postgres" ] || fail "PostgreSQL is not installed: apt-get install postgresql"
command -v redis-server >/dev/null || fail "Redis is not installed: apt-get install redis-server"

dir=$(mktemp -d)
pids=()
finish() {
  kill "${pids[@]}" 2>/dev/null || true # some may have ended
  wait 2>/dev/null || true
  rm -rf "$dir"
}
trap finish EXIT

as_postgres=() # PostgreSQL refuses to run as root
[ "$(id -u)" != 0 ] || as_postgres=(setpriv --reuid=postgres --regid=postgres --init-groups)

free_port() { # the first free one from $1 on
  local port=$1
  while is_open "$port"; do port=$((port + 1)); done
  echo "$port"
}

is_open() { (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; } # the port $1

until_ready() { # the program $1, as the command that follows tells
  local try
  for try in $(seq 400); do
    "${@:2}" && return
    sleep 0.05
  done
  fail "$1 is not ready after $try tries: $(tail -n 3 "$dir/$1.log")"
}

postgres=$(free_port 15432) redis=$(free_port 16379) cdn=$(free_port 18088)
one=$(free_port 18101) two=$(free_port 18201)

echo "building"
go build -o "$dir/shared" .
(cd ../.. && go build -o "$dir/fakecdn" ./examples/fakecdn)

echo "starting PostgreSQL, Redis and a fake CDN"
mkdir "$dir/db"
if [ "$(id -u)" = 0 ]; then chmod 711 "$dir" && chown postgres "$dir/db"; fi
"${as_postgres[@]}" env -C "$dir/db" "$bin/initdb" --pgdata="$dir/db" --username=admin --auth=trust --no-sync >"$dir/initdb.log"
"${as_postgres[@]}" env -C "$dir/db" "$bin/postgres" -D "$dir/db" -h 127.0.0.1 -p "$postgres" -k '' >"$dir/postgres.log" 2>&1 &
pids+=($!)
redis-server --bind 127.0.0.1 --port "$redis" --save '' >"$dir/redis.log" &
pids+=($!)
"$dir/fakecdn" -addr "127.0.0.1:$cdn" >"$dir/fakecdn.log" 2>&1 &
fake=$!
pids+=("$fake")
until_ready postgres "$bin/pg_isready" -q -h 127.0.0.1 -p "$postgres" -U admin
until_ready redis is_open "$redis"
until_ready fakecdn is_open "$cdn"

# The table is the administrator's. The service may add rows and read them: it can neither replace nor delete a key.
(umask 077 && openssl rand -base64 32 >"$dir/ring")
export RING_FILE=$dir/ring REDIS_URL=redis://127.0.0.1:$redis/0 PROCESSES=2 CDN_ENDPOINT=http://127.0.0.1:$cdn
export ALIBABA_CLOUD_ACCESS_KEY_ID=testid ALIBABA_CLOUD_ACCESS_KEY_SECRET=testsecret ALIBABA_CLOUD_SECURITY_TOKEN=
admin=postgres://admin@127.0.0.1:$postgres/postgres?sslmode=disable
ADDR=unused DATABASE_URL=$admin "$dir/shared" create-table
"$bin/psql" -q "$admin" -c 'CREATE ROLE service LOGIN' -c 'GRANT INSERT, SELECT ON cdncsr_keys TO service'

echo "starting two processes of the service"
export DATABASE_URL=postgres://service@127.0.0.1:$postgres/postgres?sslmode=disable
ADDR=127.0.0.1:$one "$dir/shared" serve 2>"$dir/one.log" &
pids+=($!)
ADDR=127.0.0.1:$two "$dir/shared" serve 2>"$dir/two.log" &
pids+=($!)
until_ready one is_open "$one"
until_ready two is_open "$two"

field() { sed -n "s/.*\"$1\":\"\([^\"]*\)\".*/\1/p"; } # of a JSON object in one line

answer=$(curl -sS -X POST "http://127.0.0.1:$one/csrs/example.com")
echo "the first process: a CSR, whose key has: $(field Origin <<<"$answer")"

kill "$fake"
wait "$fake" 2>/dev/null || true # ended by the signal
answer=$(curl -sS -X POST "http://127.0.0.1:$one/csrs/example.com")
echo "the CDN is down; the first process: a CSR, whose key has: $(field Origin <<<"$answer")"
curl -sSf -o "$dir/public.pem" "http://127.0.0.1:$two/keys/$(field PubMd5 <<<"$answer")"
field Csr <<<"$answer" | sed 's/\\n/\n/g' | openssl req -noout -pubkey >"$dir/csr.pem"
cmp "$dir/public.pem" "$dir/csr.pem" || fail "the second process has another key"
echo "the second process has the key of this CSR"

if [ "${1:-}" = wait ]; then
  echo "serving on http://127.0.0.1:$one and http://127.0.0.1:$two until interrupted"
  wait
fi
