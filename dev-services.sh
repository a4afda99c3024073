#!/usr/bin/env bash
# Starts, stops and tests the whole platform: PostgreSQL, Redis and the four services. `./dev-services.sh help` lists the
# commands.
#
# Needs bash 3.2 or later (what macOS ships: no associative arrays, no mapfile), a Rust toolchain and a package manager.
# It is one file on purpose, and so a long one: whoever clones the repository finds one command to run, and nothing beside it to look
# for; and most of it is about what differs from machine to machine (who one is, what is installed, what listens already).
#
# How things are kept: $DEV_DIR/run/NAME says what was started (pid, the process's start time, port), $DEV_DIR/logs has what it
# printed, $DEV_DIR/postgres and $DEV_DIR/redis are the private servers' data. Only what such a file names is ever stopped.
set -euo pipefail

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd -P)
SELF=$ROOT/$(basename "${BASH_SOURCE[0]}")
NAME=./${SELF##*/} # as messages call it
cd "$ROOT"

BACKENDS="movie-service user-preference-service recommendation-service"
SERVICES="$BACKENDS api-gateway" # in the order of starting
READY_LIMIT=60                   # seconds for a service or server to become ready
COLLECTION=output/postman/movie-discovery-platform.postman_collection.json
SAMPLE_REQUESTS=output/curl/sample-requests.sh

# What the services read. Tests and benchmarks run without any of it, whatever the caller's shell has exported.
CONFIG_VARIABLES="SERVER_HOST SERVER_PORT LOG_LEVEL LOG_FORMAT SHUTDOWN_TIMEOUT_SECONDS REQUEST_TIMEOUT_SECONDS
  UPSTREAM_TIMEOUT_SECONDS UPSTREAM_CONNECT_TIMEOUT_MS HEADER_READ_TIMEOUT_SECONDS WRITE_TIMEOUT_SECONDS MAX_CONNECTIONS
  DB_HOST DB_PORT DB_USER DB_PASSWORD DB_NAME DB_SSLMODE DB_SSLROOTCERT DB_MAX_CONNECTIONS DB_ACQUIRE_TIMEOUT_MS
  DB_STATEMENT_TIMEOUT_MS REDIS_ADDR REDIS_PASSWORD REDIS_DB REDIS_TIMEOUT_MS TMDB_API_KEY TMDB_ACCESS_TOKEN TMDB_BASE_URL TMDB_CONNECT_TIMEOUT_MS TMDB_TIMEOUT_MS
  TMDB_MAX_REQUESTS_PER_SECOND TMDB_MAX_RETRIES TMDB_RUNTIME_CONCURRENCY MOVIE_SERVICE_URL USER_PREFERENCE_SERVICE_URL
  RECOMMENDATION_SERVICE_URL RATE_LIMIT_MAX RATE_LIMIT_WINDOW_SECONDS MAX_BODY_BYTES TRUSTED_PROXIES PEER_TIMEOUT_MS
  CATALOGUE_REFRESH_SECONDS API_GATEWAY_PORT MOVIE_SERVICE_PORT USER_PREFERENCE_SERVICE_PORT RECOMMENDATION_SERVICE_PORT
  BUILD_PROFILE"

# libpq must see what is passed to it below and nothing else.
unset PGSERVICE PGSERVICEFILE PGOPTIONS PGHOSTADDR PGPASSFILE PGDATABASE PGUSER PGHOST PGPORT PGSSLMODE PGSSLROOTCERT
# Everything here is local, or addressed directly: no proxy in between.
export NO_PROXY="${NO_PROXY:+$NO_PROXY,}127.0.0.1,localhost"

# --- Messages -----------------------------------------------------------------------------------------------------------------

BOLD='' GREEN='' YELLOW='' RED='' PLAIN=''
if [ -t 1 ] && [ -z "${NO_COLOR:-}" ] && [ "${TERM:-dumb}" != dumb ]; then
    BOLD=$'\033[1m' GREEN=$'\033[32m' YELLOW=$'\033[33m' RED=$'\033[31m' PLAIN=$'\033[0m'
fi

say() { printf '%s==>%s %s\n' "$BOLD" "$PLAIN" "$*"; }
warn() { printf '%snote:%s %s\n' "$YELLOW" "$PLAIN" "$*" >&2; }
die() {
    printf '%serror:%s %s\n' "$RED" "$PLAIN" "$*" >&2
    exit 1
}
has() { command -v "$1" >/dev/null 2>&1; }
short() { case $1 in "$ROOT"/*) printf '%s' "${1#"$ROOT"/}" ;; *) printf '%s' "$1" ;; esac; }

# Asks a yes-no question; no without a terminal.
confirm() {
    local answer=''
    [ -t 0 ] || return 1
    printf '%s [y/N] ' "$1"
    read -r answer || true
    case $answer in y | Y | yes | Yes) return 0 ;; *) return 1 ;; esac
}

# --- Processes ----------------------------------------------------------------------------------------------------------------

# Prints what tells this process from a later one with the same pid: its start time. Fails for a dead one and for a zombie.
proc_identity() {
    local stat=''
    if [ -r /proc/self/stat ]; then
        stat=$(cat "/proc/$1/stat" 2>/dev/null) || return 1
        # Fields count from behind the command name, which may hold anything: the 1st is the state, the 20th the start in ticks.
        # shellcheck disable=SC2086
        set -- ${stat##*) }
        [ "$1" != Z ] && [ "$1" != X ] || return 1
        printf '%s@%s' "${20}" "$(cat /proc/sys/kernel/random/boot_id 2>/dev/null || true)"
    else
        stat=$(LC_ALL=C ps -o stat=,lstart= -p "$1" 2>/dev/null) || return 1
        case $stat in '' | Z*) return 1 ;; esac
        printf '%s' "${stat#* }" | tr -s ' '
    fi
}

# A run file holds lines of NAME=VALUE about one started process.
run_file() { printf '%s/run/%s' "$1" "$2"; } # BASE NAME
run_get() { [ -f "$1" ] && sed -n "s/^$2=//p" "$1"; }
run_write() { # FILE PID PORT, then further NAME=VALUE
    local file=$1 pid=$2 port=$3 identity
    shift 3
    identity=$(proc_identity "$pid") || return 1
    mkdir -p "$(dirname "$file")"
    printf '%s\n' "pid=$pid" "identity=$identity" "port=$port" "$@" >"$file.new"
    mv "$file.new" "$file"
}
is_running() { # FILE
    local pid
    pid=$(run_get "$1" pid) || return 1
    [ -n "$pid" ] && [ "$(proc_identity "$pid" || true)" = "$(run_get "$1" identity)" ]
}

# Starts a command in a session of its own, so that neither closing the terminal nor Ctrl-C reaches it. Sets PID, and LOG_OFFSET,
# from where on the log is this process's.
launch() { # LOG DIRECTORY COMMAND...
    local log=$1 directory=$2
    shift 2
    if has setsid; then
        set -- setsid "$@"
    elif has perl; then
        # shellcheck disable=SC2016
        set -- perl -MPOSIX=setsid -e 'setsid(); exec { $ARGV[0] } @ARGV or die "$ARGV[0]: $!\n"' "$@"
    else
        set -- nohup "$@"
    fi
    mkdir -p "$(dirname "$log")"
    LOG_OFFSET=0
    [ ! -f "$log" ] || LOG_OFFSET=$(wc -c <"$log")
    (cd "$directory" && exec "$@") </dev/null >>"$log" 2>&1 &
    PID=$!
}

# Stops what a run file names: first SIGNAL, and after LIMIT seconds LAST_SIGNAL.
stop_process() { # FILE NAME LIMIT SIGNAL LAST_SIGNAL
    local file=$1 name=$2 limit=$3 pid deadline
    if is_running "$file"; then
        pid=$(run_get "$file" pid)
        kill "-$4" "$pid" 2>/dev/null || ! is_running "$file" ||
            die "$name (pid $pid) cannot be stopped by this user; run this as the one who started it"
        deadline=$((SECONDS + limit))
        while is_running "$file" && [ "$SECONDS" -lt "$deadline" ]; do sleep 0.1; done
        if is_running "$file"; then
            warn "$name (pid $pid) did not end within $limit s; sending SIG$5"
            kill "-$5" "$pid" 2>/dev/null || true
            deadline=$((SECONDS + 10))
            while is_running "$file" && [ "$SECONDS" -lt "$deadline" ]; do sleep 0.1; done
            ! is_running "$file" || die "$name (pid $pid) is still there after SIG$5"
        fi
        say "stopped $name"
    fi
    rm -f "$file"
}

# Runs a command in a process group of its own and waits for it, so that an interrupt ends all of it at once: bash would put off
# its traps until a command in the foreground has ended.
CHILD=''
run_child() {
    local code=0
    set -m
    "$@" </dev/null &
    CHILD=$!
    set +m
    wait "$CHILD" || code=$?
    CHILD=''
    return "$code"
}

# Runs a command for at most LIMIT seconds; macOS has no timeout(1).
limited() { # LIMIT COMMAND...
    local deadline=$((SECONDS + $1)) pid
    shift
    "$@" &
    pid=$!
    while kill -0 "$pid" 2>/dev/null && [ "$SECONDS" -le "$deadline" ]; do sleep 0.05; done
    kill -9 "$pid" 2>/dev/null || true
    wait "$pid" 2>/dev/null
}

# One start, stop or reset at a time. A lock whose owner is gone is taken over.
LOCK=''
take_lock() { # DIRECTORY
    local lock=$1/lock deadline=$((SECONDS + 900)) told='' aside
    mkdir -p "$1"
    until mkdir "$lock" 2>/dev/null; do
        if ! is_running "$lock/owner"; then
            sleep 1 # a lock made this moment may not name its owner yet
            aside=$lock.$$
            if ! is_running "$lock/owner" && mv "$lock" "$aside" 2>/dev/null; then
                # Another one may have taken it over between the look and the move: then it gets it back.
                if is_running "$aside/owner"; then mv "$aside" "$lock"; else rm -rf "$aside"; fi
            fi
            continue
        fi
        [ -n "$told" ] || say "waiting for another $NAME (pid $(run_get "$lock/owner" pid)) to finish"
        told=yes
        [ "$SECONDS" -lt "$deadline" ] || die "another $NAME (pid $(run_get "$lock/owner" pid)) has been busy for too long"
        sleep 0.5
    done
    LOCK=$lock
    run_write "$lock/owner" $$ 0
}
release_lock() { [ -z "$LOCK" ] || rm -rf "$LOCK"; LOCK=''; }

on_exit() {
    local code=$?
    trap - EXIT INT TERM HUP
    set +e
    if [ -n "$CHILD" ]; then
        kill -TERM -- "-$CHILD" 2>/dev/null
        wait "$CHILD" 2>/dev/null
    fi
    [ -z "$TEST_BASE" ] || stop_test_servers
    release_lock
    exit "$code"
}
TEST_BASE=''
trap on_exit EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

# --- Configuration: process environment, then the service's .env, then the top .env, then the default --------------------------

# Prints a variable's value from a .env file: optional `export`, quotes, and a comment behind an unquoted value. Fails when the
# file does not name it. The first line that does counts.
dotenv_value() { # FILE NAME
    local line value
    [ -f "$1" ] || return 1
    while IFS= read -r line || [ -n "$line" ]; do
        line=${line%$'\r'}
        line=${line#"${line%%[![:space:]]*}"}
        line=${line#export }
        case $line in "$2"=* | "$2"[[:space:]]*=*) ;; *) continue ;; esac
        value=${line#*=}
        value=${value#"${value%%[![:space:]]*}"}
        case $value in
            \"*) value=${value#\"} value=${value%%\"*} ;;
            \'*) value=${value#\'} value=${value%%\'*} ;;
            \#*) value='' ;;
            *)
                value=${value%%[[:space:]]#*}
                value=${value%"${value##*[![:space:]]}"}
                ;;
        esac
        printf '%s' "$value"
        return 0
    done <"$1"
    return 1
}

# Prints the value that a service will see. The first source that names a variable counts, and empty there means the default: so
# `TMDB_API_KEY= ./dev-services.sh start` leaves out the key in .env.
conf() { # SERVICE NAME DEFAULT
    local value=''
    if [ -n "${!2+set}" ]; then
        value=${!2}
    elif [ -z "${DEV_IGNORE_DOTENV:-}" ]; then
        value=$(dotenv_value "$1/.env" "$2" || dotenv_value .env "$2" || true)
    fi
    printf '%s' "${value:-$3}"
}

upper() { printf '%s' "$1" | tr 'a-z-' 'A-Z_'; }

# The configured port: API_GATEWAY_PORT and its like, then SERVER_PORT in the service's own .env.
configured_port() { # SERVICE
    local port default
    case $1 in
        api-gateway) default=8080 ;;
        movie-service) default=8081 ;;
        user-preference-service) default=8082 ;;
        *) default=8083 ;;
    esac
    port=$(conf "$1" "$(upper "$1")_PORT" '')
    [ -n "$port" ] || [ -n "${DEV_IGNORE_DOTENV:-}" ] || port=$(dotenv_value "$1/.env" SERVER_PORT || true)
    port=${port:-$default}
    case $port in *[!0-9]* | ??????*) die "the port of $1 is '$port', which is not a number from 1 to 65535" ;; esac
    if [ "$port" -lt 1 ] || [ "$port" -gt 65535 ]; then die "the port of $1 is '$port', which is not a number from 1 to 65535"; fi
    printf '%s' "$port"
}

# The port a service has, when it runs, or will have.
service_port() {
    local file
    file=$(run_file "$DEV_DIR" "$1")
    if is_running "$file"; then run_get "$file" port; else configured_port "$1"; fi
}

# Where the service is reached from this machine.
service_url() {
    local host
    host=$(conf "$1" SERVER_HOST 127.0.0.1)
    case $host in 0.0.0.0 | :: | localhost) host=127.0.0.1 ;; *:*) host="[$host]" ;; esac
    printf 'http://%s:%s' "$host" "$(service_port "$1")"
}

DEV_DIR=${DEV_DIR:-.dev}
case $DEV_DIR in /*) ;; *) DEV_DIR=$ROOT/$DEV_DIR ;; esac
BUILD_PROFILE=${BUILD_PROFILE:-start}

# --- Ports and HTTP -----------------------------------------------------------------------------------------------------------

port_open() { (exec 3<>"/dev/tcp/$1/$2") 2>/dev/null; } # HOST PORT

# Who listens on a port, where a tool can tell.
port_owner() {
    local found=''
    if command -v lsof >/dev/null; then
        found=$(lsof -nP -iTCP:"$1" -sTCP:LISTEN -Fpc 2>/dev/null | awk '/^p/ {p = substr($0, 2)} /^c/ {print substr($0, 2) " (pid " p ")"; exit}' || true)
    fi
    if [ -z "$found" ] && command -v ss >/dev/null; then
        found=$(ss -ltnpH "sport = :$1" 2>/dev/null | sed -n 's/.*users:(("\([^"]*\)",pid=\([0-9]*\).*/\1 (pid \2)/p' | head -n 1 || true)
    fi
    printf '%s' "${found:-another process}"
}

free_port() { # FIRST
    local port=$1
    while [ "$port" -lt $(($1 + 200)) ]; do
        if ! port_open 127.0.0.1 "$port"; then
            printf '%s' "$port"
            return 0
        fi
        port=$((port + 1))
    done
    die "no free port from $1 to $port"
}

http() { curl -q -sS --noproxy '*' --connect-timeout 3 "$@"; }
http_status() { http -o /dev/null --max-time 3 -w '%{http_code}' "$1" 2>/dev/null || true; }

health() { # SERVICE; prints ready or what is wrong
    local code
    is_running "$(run_file "$DEV_DIR" "$1")" || { printf 'not running' && return 0; }
    code=$(http_status "$(service_url "$1")/api/v1/ready")
    case $code in
        200) printf 'ready' ;;
        000 | '') printf 'no answer' ;;
        *) printf 'not ready (HTTP %s)' "$code" ;;
    esac
}

# --- Installing what is missing -----------------------------------------------------------------------------------------------

# Runs a command as root: as it is, or through sudo, which may ask for a password only on a terminal.
as_root() {
    if [ "$(id -u)" = 0 ]; then
        "$@"
    elif has sudo && [ -t 0 ]; then
        sudo "$@"
    elif has sudo; then
        sudo -n "$@"
    else
        return 1
    fi
}

APT_UPDATED=''
apt_install() {
    if [ -z "$APT_UPDATED" ]; then
        as_root env DEBIAN_FRONTEND=noninteractive apt-get update -q </dev/null >&2 || return 1
        APT_UPDATED=yes
    fi
    as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends \
        -o DPkg::Lock::Timeout=120 "$@" </dev/null >&2
}

# Installs packages: WHAT (for people), the packages' names for apt, and for Homebrew.
install() { # WHAT APT BREW
    # shellcheck disable=SC2086
    if has apt-get && { [ "$(id -u)" = 0 ] || has sudo; }; then
        say "$1 is missing: installing $2 with apt-get"
        apt_install $2 || die "$1 could not be installed; run: sudo apt-get install $2"
    elif has brew && [ -n "$3" ]; then
        say "$1 is missing: installing $3 with Homebrew"
        HOMEBREW_NO_AUTO_UPDATE=1 brew install $3 </dev/null >&2 || die "$1 could not be installed; run: brew install $3"
    elif has apt-get; then
        die "$1 is missing and this user cannot install it (no sudo); install it: apt-get install $2"
    else
        die "$1 is missing; install it with this system's package manager"
    fi
    hash -r
}

ensure_curl() { has curl || install curl 'curl ca-certificates' curl; }

# Some crates compile C.
ensure_compiler() {
    has cc && return 0
    [ "$(uname -s)" != Darwin ] || die "a C compiler is missing; install it with: xcode-select --install"
    install 'a C compiler' build-essential ''
}

cargo_version() { cargo --version 2>/dev/null | sed -n 's/^cargo \([0-9.]*\).*/\1/p'; }
version_at_least() { # VERSION WANTED
    [ -n "$1" ] && printf '%s\n' "$2" "$1" | awk -F. '
        NR == 1 { a = $1; b = $2; c = $3 } NR == 2 { exit !($1 > a || ($1 == a && ($2 > b || ($2 == b && $3 + 0 >= c + 0)))) }'
}

# A toolchain that rust-version allows. rustup's installer runs only after a question; no toolchain file downloads one unasked.
ensure_cargo() {
    local wanted found command
    # Freshly installed by rustup, and not yet on this shell's PATH.
    if ! has cargo && [ -x "${CARGO_HOME:-${HOME:-}/.cargo}/bin/cargo" ]; then PATH=${CARGO_HOME:-$HOME/.cargo}/bin:$PATH; fi
    wanted=$(sed -n 's/^rust-version *= *"\([0-9.]*\)".*/\1/p' Cargo.toml | head -n 1)
    found=$(cargo_version || true)
    version_at_least "$found" "$wanted" && return 0
    if has rustup; then
        command='rustup update stable'
    else
        command="curl --proto '=https' --tlsv1.2 -sSf https://sh.rustup.rs | sh -s -- -y"
    fi
    warn "Rust $wanted or later is needed; ${found:+cargo here is }${found:-there is no cargo here}"
    confirm "Run \`$command\` now?" || die "Rust $wanted or later is needed; run: $command"
    ensure_curl
    bash -c "set -o pipefail; $command" || die "that did not work; see https://rustup.rs"
    PATH=${CARGO_HOME:-$HOME/.cargo}/bin:$PATH
    hash -r
    found=$(cargo_version || true)
    version_at_least "$found" "$wanted" ||
        die "cargo is still ${found:-missing}; run: rustup default stable"
}

# --- PostgreSQL ---------------------------------------------------------------------------------------------------------------

# Prints the folder of PostgreSQL's server binaries: the newest, or those of MAJOR.
find_pg_bin() { # [MAJOR]
    local dir version best='' best_version=0
    for dir in "$(dirname "$(command -v postgres 2>/dev/null || echo /)")" /usr/lib/postgresql/*/bin /usr/pgsql-*/bin \
        /opt/homebrew/opt/postgresql*/bin /usr/local/opt/postgresql*/bin /home/linuxbrew/.linuxbrew/opt/postgresql*/bin \
        /Applications/Postgres.app/Contents/Versions/latest/bin; do
        if ! [ -x "$dir/postgres" ] || ! [ -x "$dir/initdb" ] || ! [ -x "$dir/psql" ]; then continue; fi
        version=$("$dir/postgres" --version 2>/dev/null | sed -n 's/^[^0-9]*\([0-9]*\).*/\1/p')
        [ -n "$version" ] || continue
        if [ -n "${1:-}" ]; then
            [ "$version" != "$1" ] || { printf '%s' "$dir" && return 0; }
        elif [ "$version" -gt "$best_version" ]; then
            best=$dir best_version=$version
        fi
    done
    printf '%s' "$best"
}

# Debian's package makes and starts a cluster of its own, which nobody asked for here: told off for the time of the installation.
install_pg_server() {
    local dir=/etc/postgresql-common/createcluster.d file made=''
    file=$dir/zz-no-main-cluster.conf
    if ! has apt-get; then
        install 'PostgreSQL' '' postgresql@17
        return 0
    fi
    [ -d "$dir" ] || made=yes
    if as_root mkdir -p "$dir" 2>/dev/null; then
        printf 'create_main_cluster = false\n' | as_root tee "$file" >/dev/null
    fi
    (
        install 'PostgreSQL' postgresql ''
    ) || made="$made failed"
    as_root rm -f "$file" 2>/dev/null || true
    case $made in yes*) as_root rmdir "$dir" 2>/dev/null || true ;; esac
    case $made in *failed) exit 1 ;; esac
}

PSQL=''
ensure_psql() {
    local dir
    [ -z "$PSQL" ] || return 0
    dir=$(find_pg_bin)
    if [ -n "$dir" ]; then
        PSQL=$dir/psql
    else
        has psql || install "PostgreSQL's client" postgresql-client libpq
        PSQL=$(command -v psql || true)
        [ -n "$PSQL" ] || PSQL=$(brew --prefix libpq)/bin/psql
    fi
}

# Sets D_HOST, D_PORT and so on: what a service will use.
db_settings() { # SERVICE
    if [ -n "$PG_PRIVATE_PORT" ] && ! db_is_configured "$1"; then
        D_HOST=127.0.0.1 D_PORT=$PG_PRIVATE_PORT D_USER=postgres D_PASSWORD=postgres D_SSLMODE=disable D_SSLROOTCERT=''
    else
        D_HOST=$(conf "$1" DB_HOST localhost) D_PORT=$(conf "$1" DB_PORT 5432)
        D_USER=$(conf "$1" DB_USER postgres) D_PASSWORD=$(conf "$1" DB_PASSWORD postgres)
        D_SSLMODE=$(conf "$1" DB_SSLMODE disable) D_SSLROOTCERT=$(conf "$1" DB_SSLROOTCERT '')
    fi
    D_NAME=$(conf "$1" DB_NAME "$(printf '%s' "$1" | tr - _)")
}
PG_PRIVATE_PORT=''
db_is_configured() { [ -n "$(conf "$1" DB_HOST '')$(conf "$1" DB_PORT '')$(conf "$1" DB_USER '')$(conf "$1" DB_PASSWORD '')" ]; }

# Runs one statement with the settings of db_settings.
db() { run_psql "$1" -c "$2"; } # DATABASE SQL
run_psql() { # DATABASE OPTIONS...
    local ssl=()
    [ -z "$D_SSLROOTCERT" ] || ssl=("PGSSLROOTCERT=$D_SSLROOTCERT")
    limited 20 env PGPASSWORD="$D_PASSWORD" PGCONNECT_TIMEOUT=3 PGSSLMODE="$D_SSLMODE" PGCLIENTENCODING=UTF8 LC_ALL=C \
        ${ssl[@]+"${ssl[@]}"} "$PSQL" -X -w -q -A -t -v ON_ERROR_STOP=1 -h "$D_HOST" -p "$D_PORT" -U "$D_USER" -d "$1" "${@:2}"
}

# Lets us in, by the service's own database or one from which it can be created? On failure prints why.
db_login() {
    local database why=''
    for database in "$D_NAME" postgres template1; do
        why=$(db "$database" 'SELECT 1' 2>&1 >/dev/null) && return 0
    done
    # The reason is in the first line; what follows are hints.
    printf '%s\n' "$why" | sed -e 's/^psql: //' -e 's/^error: //' -e 1q
    return 1
}

create_database() { # SERVICE
    local database name why=''
    db_settings "$1"
    db "$D_NAME" 'SELECT 1' >/dev/null 2>&1 && return 0
    name=$(printf '%s' "$D_NAME" | sed 's/"/""/g')
    for database in postgres template1; do
        if why=$(db "$database" "CREATE DATABASE \"$name\"" 2>&1 >/dev/null); then
            say "created database $D_NAME"
            return 0
        fi
    done
    db "$D_NAME" 'SELECT 1' >/dev/null 2>&1 || die "database $D_NAME on $D_HOST:$D_PORT cannot be created: $(printf '%s' "$why" | tail -n 1)"
}

# Decides where PostgreSQL is, before anything is built or started. A private server that has data is used until `reset`: the data
# do not change places because another server has come up on the default port.
PG_NEEDS_PRIVATE=''
plan_postgres() {
    local service why others=''
    for service in $BACKENDS; do
        if db_is_configured "$service"; then
            ensure_psql
            db_settings "$service"
            why=$(db_login) || die "PostgreSQL is configured as $D_USER@$D_HOST:$D_PORT for $service, but does not let us in (${why:-no answer}); correct DB_HOST, DB_PORT, DB_USER and DB_PASSWORD, or leave all four out for a private server"
        else
            others=$service
        fi
    done
    [ -n "$others" ] || return 0
    if ! has_data "$DEV_DIR" postgres && port_open localhost 5432; then
        ensure_psql
        db_settings "$others"
        if db_login >/dev/null; then return 0; fi
        say "the PostgreSQL on port 5432 does not let us in as postgres: a private one will be used"
    fi
    PG_NEEDS_PRIVATE=yes
    [ -n "$(find_pg_bin)" ] || install_pg_server
    [ -n "$(find_pg_bin)" ] || die "PostgreSQL's server is missing; install the package that has initdb and postgres"
    ensure_psql
}

# --- Private servers ----------------------------------------------------------------------------------------------------------

# PostgreSQL refuses to run as root, and Redis should not: then an unprivileged user runs them, the data's owner if there are any.
server_user() { # DATA_HOME
    local owner
    [ "$(id -u)" = 0 ] || return 0
    if [ -d "$1" ]; then
        # shellcheck disable=SC2012
        owner=$(ls -ld "$1" | awk '{print $3}')
        [ "$owner" = root ] || { printf '%s' "$owner" && return 0; }
    fi
    if id postgres >/dev/null 2>&1; then printf postgres; else printf nobody; fi
}

# Sets AS_USER, which put before a command makes that user run it (or nothing, for an empty one). What it names executes the
# command in its own process, so that the pid stays the same.
set_as_user() { # USER
    AS_USER=()
    if [ -z "$1" ]; then
        return 0
    elif has setpriv; then
        AS_USER=(setpriv "--reuid=$1" "--regid=$(id -g "$1")" --clear-groups --)
    elif has perl; then
        AS_USER=(perl -MPOSIX -e "my @u = getpwnam('$1'); \$) = \"\$u[3] \$u[3]\"; POSIX::setgid(\$u[3]); POSIX::setuid(\$u[2]);
            exec { \$ARGV[0] } @ARGV or die" --)
    else
        die "PostgreSQL does not run as root, and there is neither setpriv nor perl to change the user; run this as an ordinary user"
    fi
}
as_user() { # USER COMMAND...
    set_as_user "$1"
    shift
    (cd / && ${AS_USER[@]+"${AS_USER[@]}"} "$@")
}

# A private server's data are in BASE/NAME, or where BASE/NAME.location says.
data_home() {
    if [ -s "$1/$2.location" ]; then cat "$1/$2.location"; else printf '%s/%s' "$1" "$2"; fi
}
has_data() { [ -d "$(data_home "$1" "$2")" ]; }

make_data_home() { # BASE NAME; prints the folder
    local home user
    home=$(data_home "$1" "$2")
    user=$(server_user "$home")
    if [ ! -d "$home" ]; then
        mkdir -p "$home"
        chmod 700 "$home"
        if [ -n "$user" ]; then
            chown "$user" "$home"
            # A folder above may be closed to that user (/root often is).
            if ! as_user "$user" test -w "$home"; then
                rmdir "$home"
                home=/var/lib/movie-discovery-platform-$(printf '%s/%s' "$1" "$2" | cksum | awk '{print $1}')
                mkdir -p "$home"
                chmod 700 "$home"
                chown "$user" "$home"
                printf '%s\n' "$home" >"$1/$2.location"
                say "user $user cannot reach $(short "$1"): $2 keeps its data in $home" >&2
            fi
        fi
    fi
    [ -O "$home" ] || [ "$(id -u)" = 0 ] || die "$home belongs to another user; run this as that user"
    printf '%s' "$home"
}

remove_data() { # BASE NAME
    local home
    home=$(data_home "$1" "$2")
    case $home in "$1/$2" | /var/lib/movie-discovery-platform-*) rm -rf "$home" ;; esac
    rm -f "$1/$2.location"
}

# A character type that knows more letters than ASCII, so that lower() and search work in every script.
character_type() {
    local name
    for name in C.UTF-8 C.utf8 en_US.UTF-8 en_US.utf8; do
        # Not grep -q: it would end the pipe early, which pipefail takes for a failure.
        if locale -a 2>/dev/null | grep -ix -- "$name" >/dev/null; then
            printf '%s' "$name"
            return 0
        fi
    done
    printf C
}

init_postgres() { # HOME USER BIN AUTHENTICATION
    # shellcheck disable=SC2016
    as_user "$2" sh -c 'umask 077; printf "postgres\n" >"$1"' sh "$1/password" || return 1
    rm -rf "$1/data"
    as_user "$2" env LC_ALL=C "$3/initdb" -D "$1/data" --username=postgres --pwfile="$1/password" --auth="$4" \
        --encoding=UTF8 --locale=C --lc-ctype="$(character_type)" --no-sync >"$1/initdb.log" 2>&1 || return 1
    [ "$4" = trust ] || sync # --no-sync skipped it for each file alone
    rm -f "$1/password"
    touch "$1/initialised"
}

# Starts a private PostgreSQL and sets PG_PRIVATE_PORT. It listens on 127.0.0.1 only and has no socket file: socket paths must be
# short, and a checkout's path may be long.
start_postgres() { # BASE FIRST_PORT AUTHENTICATION [further server options]
    local base=$1 first=$2 auth=$3 home user bin major
    shift 3
    PG_PRIVATE_PORT=$(running_port "$base" postgres)
    [ -z "$PG_PRIVATE_PORT" ] || return 0
    home=$(make_data_home "$base" postgres)
    user=$(server_user "$home")
    if [ -f "$home/initialised" ]; then
        major=$(cat "$home/data/PG_VERSION")
        bin=$(find_pg_bin "$major")
        [ -n "$bin" ] || die "$home was made by PostgreSQL $major, which is not installed; install it, or start anew with: $NAME reset"
    else
        bin=$(find_pg_bin)
        init_postgres "$home" "$user" "$bin" "$auth" || die "initdb failed: $(tail -n 3 "$home/initdb.log" 2>/dev/null)"
    fi
    clear_stale_lock "$base" "$home/data"
    PG_PRIVATE_PORT=$(previous_port "$home" "$first")
    set_as_user "$user"
    launch "$base/logs/postgres.log" / ${AS_USER[@]+"${AS_USER[@]}"} "$bin/postgres" -D "$home/data" -c listen_addresses=127.0.0.1 \
        -c "port=$PG_PRIVATE_PORT" -c unix_socket_directories= -c logging_collector=off "$@"
    D_HOST=127.0.0.1 D_PORT=$PG_PRIVATE_PORT D_USER=postgres D_PASSWORD=postgres D_SSLMODE=disable D_SSLROOTCERT=''
    wait_for_server PostgreSQL "$base" postgres "$PG_PRIVATE_PORT" db postgres 'SELECT 1'
}

# A killed PostgreSQL leaves its lock file, and takes it for a living one's while its pid exists: as a zombie, where nobody reaps
# them (a container without an init), or as another process's. We know better, and wait only for its children, whose working
# directory the data are.
clear_stale_lock() { # BASE DATA
    local pid deadline=$((SECONDS + 10))
    if ! [ -f "$2/postmaster.pid" ] || ! [ -d /proc/self ]; then return 0; fi
    pid=$(head -n 1 "$2/postmaster.pid")
    if is_running "$(run_file "$1" postgres)" || [ "$pid" != "$(run_get "$(run_file "$1" postgres)" pid)" ]; then return 0; fi
    # shellcheck disable=SC2010
    while ls -l /proc/[0-9]*/cwd 2>/dev/null | grep -F -- "-> $2" >/dev/null && [ "$SECONDS" -lt "$deadline" ]; do sleep 0.2; done
    [ "$SECONDS" -ge "$deadline" ] || rm -f "$2/postmaster.pid"
}

# Waits until the server that was launched answers a probe.
wait_for_server() { # TITLE BASE NAME PORT PROBE...
    local title=$1 base=$2 name=$3 port=$4 log=$2/logs/$3.log file deadline=$((SECONDS + READY_LIMIT)) why=''
    shift 4
    file=$(run_file "$base" "$name")
    run_write "$file" "$PID" "$port" || true
    until "$@" >/dev/null 2>&1; do
        is_running "$file" || why='did not start'
        [ "$SECONDS" -lt "$deadline" ] || why="was not ready within $READY_LIMIT s"
        if [ -n "$why" ]; then
            tail -c "+$((LOG_OFFSET + 1))" "$log" | tail -n 15 >&2
            die "the private $title $why; its log is $(short "$log")"
        fi
        sleep 0.1
    done
    printf '%s\n' "$port" >"$(data_home "$base" "$name")/port"
    say "started a private $title on 127.0.0.1:$port"
}
running_port() { # BASE NAME
    local file
    file=$(run_file "$1" "$2")
    ! is_running "$file" || run_get "$file" port
}

# The port that a private server had before, as services that still run know it, or the next free one.
previous_port() { # HOME FIRST
    local port
    port=$(cat "$1/port" 2>/dev/null || true)
    if [ -n "$port" ] && ! port_open 127.0.0.1 "$port"; then printf '%s' "$port"; else free_port "$2"; fi
}

# Sends commands to Redis, one an argument list closed by `;`, and prints the last reply's first line. Needs no redis-cli.
redis_commands() { # HOST PORT PASSWORD COMMAND... ; COMMAND...
    limited 10 redis_talk "$@" 2>/dev/null
}
redis_talk() {
    local host=$1 port=$2 password=$3 reply='' words=() word
    local LC_ALL=C # lengths in bytes
    shift 3
    exec 3<>"/dev/tcp/$host/$port" || return 1
    [ -z "$password" ] || set -- AUTH "$password" \; "$@"
    while [ $# -gt 0 ]; do
        words=()
        while [ $# -gt 0 ] && [ "$1" != \; ]; do
            words+=("$1")
            shift
        done
        [ $# -eq 0 ] || shift
        {
            printf '*%d\r\n' "${#words[@]}"
            for word in "${words[@]}"; do printf '$%d\r\n%s\r\n' "${#word}" "$word"; done
        } >&3
        IFS= read -r -t 8 reply <&3 || return 1
        case $reply in -*) printf '%s\n' "${reply%$'\r'}" && return 1 ;; esac
    done
    printf '%s\n' "${reply%$'\r'}"
}

# Sets R_HOST, R_PORT, R_PASSWORD, R_DB: what a service will use.
REDIS_PRIVATE_PORT=''
redis_is_configured() { [ -n "$(conf "$1" REDIS_ADDR '')$(conf "$1" REDIS_PASSWORD '')" ]; }
redis_settings() { # SERVICE
    local address number
    if [ -n "$REDIS_PRIVATE_PORT" ] && ! redis_is_configured "$1"; then
        address=127.0.0.1:$REDIS_PRIVATE_PORT R_PASSWORD=''
    else
        address=$(conf "$1" REDIS_ADDR localhost:6379) R_PASSWORD=$(conf "$1" REDIS_PASSWORD '')
    fi
    case $1 in api-gateway) number=0 ;; movie-service) number=1 ;; user-preference-service) number=2 ;; *) number=3 ;; esac
    R_DB=$(conf "$1" REDIS_DB "$number")
    R_PORT=${address##*:} R_HOST=${address%:*}
    R_HOST=${R_HOST#[} R_HOST=${R_HOST%]}
}

redis_answers() { [ "$(redis_commands "$R_HOST" "$R_PORT" "$R_PASSWORD" PING || true)" = +PONG ]; }

REDIS_NEEDS_PRIVATE=''
plan_redis() {
    local service others=''
    for service in $SERVICES; do
        if redis_is_configured "$service"; then
            redis_settings "$service"
            redis_answers || die "Redis is configured as $R_HOST:$R_PORT for $service, but PING gets no answer there; correct REDIS_ADDR and REDIS_PASSWORD, or leave both out for a private server"
        else
            others=$service
        fi
    done
    [ -n "$others" ] || return 0
    if ! has_data "$DEV_DIR" redis; then
        redis_settings "$others"
        if redis_answers; then return 0; fi
    fi
    REDIS_NEEDS_PRIVATE=yes
    ensure_redis_server
}

# Debian splits Redis so that redis-tools has the server's program under another name, which decides by the name it is called by
# what it is: installing that alone brings no system service.
REDIS_PROGRAM=''
find_redis() {
    local program
    for program in "$(command -v redis-server || true)" "$(command -v valkey-server || true)" /opt/homebrew/opt/redis/bin/redis-server \
        /usr/local/opt/redis/bin/redis-server /home/linuxbrew/.linuxbrew/opt/redis/bin/redis-server /usr/bin/redis-check-rdb; do
        [ -x "$program" ] || continue
        case $( (exec -a redis-server "$program" --version) 2>/dev/null || true) in
            *[Ss]erver*v=*)
                REDIS_PROGRAM=$program
                return 0
                ;;
        esac
    done
    return 1
}
ensure_redis_server() {
    ! find_redis || return 0
    install Redis redis-tools redis
    ! find_redis || return 0
    install "Redis's server" redis-server redis
    # It was not there before: its service was started by the installation, and is nobody's yet.
    if has systemctl; then as_root systemctl disable --now redis-server >/dev/null 2>&1 || true; fi
    find_redis || die "Redis's server is missing; install the package that has redis-server"
}

# Starts a private Redis and sets REDIS_PRIVATE_PORT. It holds caches and counters only, so nothing is written to disk.
start_redis() { # BASE FIRST_PORT DATABASES
    local home
    REDIS_PRIVATE_PORT=$(running_port "$1" redis)
    [ -z "$REDIS_PRIVATE_PORT" ] || return 0
    home=$(make_data_home "$1" redis)
    REDIS_PRIVATE_PORT=$(previous_port "$home" "$2")
    set_as_user "$(server_user "$home")"
    # shellcheck disable=SC2016
    launch "$1/logs/redis.log" / ${AS_USER[@]+"${AS_USER[@]}"} "$BASH" -c 'exec -a redis-server "$0" "$@"' "$REDIS_PROGRAM" \
        --bind 127.0.0.1 --port "$REDIS_PRIVATE_PORT" --dir "$home" --databases "$3" --save '' --appendonly no --daemonize no
    R_HOST=127.0.0.1 R_PORT=$REDIS_PRIVATE_PORT R_PASSWORD=''
    wait_for_server Redis "$1" redis "$REDIS_PRIVATE_PORT" redis_answers
}

# SIGINT is PostgreSQL's fast shutdown, SIGQUIT its immediate one; SIGKILL would leave its children behind.
stop_servers() { # BASE
    stop_process "$(run_file "$1" redis)" 'the private Redis' 10 TERM KILL
    stop_process "$(run_file "$1" postgres)" 'the private PostgreSQL' 30 INT QUIT
}

# --- Building -----------------------------------------------------------------------------------------------------------------

target_dir() {
    local dir=${CARGO_TARGET_DIR:-}
    [ -n "$dir" ] || dir=$(cargo metadata --format-version 1 --no-deps --offline 2>/dev/null | sed -n 's/.*"target_directory":"\([^"]*\)".*/\1/p' || true)
    dir=${dir:-target}
    case $dir in /*) printf '%s' "$dir" ;; *) printf '%s/%s' "$ROOT" "$dir" ;; esac
}
bin_dir() { # PROFILE
    local folder=$1
    case $1 in dev | test) folder=debug ;; bench) folder=release ;; esac
    printf '%s/%s' "$(target_dir)" "$folder"
}

LOCKED=''
[ ! -f Cargo.lock ] || LOCKED=--locked

build() { # PROFILE
    local service
    ensure_compiler
    ensure_cargo
    say "building the four services (profile $1)"
    run_child cargo build --profile "$1" ${LOCKED:+"$LOCKED"} --bins || die "the build failed"
    BIN_DIR=$(bin_dir "$1")
    for service in $SERVICES; do [ -x "$BIN_DIR/$service" ] || die "the build left no program $BIN_DIR/$service"; done
}

# --- Services -----------------------------------------------------------------------------------------------------------------

# Looks at all ports before anything is started.
check_ports() {
    local service port seen=' '
    for service in $SERVICES; do
        port=$(service_port "$service")
        case $seen in *" $port "*) die "two services are to have port $port; change $(upper "$service")_PORT" ;; esac
        seen="$seen$port "
        if ! is_running "$(run_file "$DEV_DIR" "$service")" && port_open 127.0.0.1 "$port"; then
            die "port $port, which $service needs, is taken by $(port_owner "$port"); stop that, or choose another port: $(upper "$service")_PORT=$((port + 1000)) $NAME start"
        fi
    done
}

start_service() { # SERVICE
    local service=$1 port settings peer name directory limit
    port=$(configured_port "$service")
    settings=("SERVER_PORT=$port")
    for peer in $BACKENDS; do
        name=$(upper "$peer")_URL
        [ -n "$(conf "$service" "$name" '')" ] || settings+=("$name=$(service_url "$peer")")
    done
    if [ -n "$PG_PRIVATE_PORT" ] && ! db_is_configured "$service"; then
        settings+=(DB_HOST=127.0.0.1 "DB_PORT=$PG_PRIVATE_PORT" DB_USER=postgres DB_PASSWORD=postgres DB_SSLMODE=disable)
    fi
    if [ -n "$REDIS_PRIVATE_PORT" ] && ! redis_is_configured "$service"; then
        settings+=("REDIS_ADDR=127.0.0.1:$REDIS_PRIVATE_PORT")
    fi
    directory=$ROOT/$service
    # Away from every .env: a service looks for one beside it and above.
    [ -z "${DEV_IGNORE_DOTENV:-}" ] || directory=$DEV_DIR/empty/$service
    mkdir -p "$directory"
    limit=$(conf "$service" SHUTDOWN_TIMEOUT_SECONDS 10)
    case $limit in *[!0-9]*) limit=10 ;; esac # the service itself will complain
    launch "$DEV_DIR/logs/$service.log" "$directory" env "${settings[@]}" "$BIN_DIR/$service"
    # It may have ended already; then waiting for it says so.
    run_write "$(run_file "$DEV_DIR" "$service")" "$PID" "$port" "program=$BIN_DIR/$service" "shutdown=$limit" || true
}

show_log_end() { # SERVICE
    printf '%s--- the last lines of %s ---%s\n' "$BOLD" "$(short "$DEV_DIR/logs/$1.log")" "$PLAIN" >&2
    tail -c "+$((LOG_OFFSET + 1))" "$DEV_DIR/logs/$1.log" | tail -n 15 >&2 || true
}

wait_until_ready() { # SERVICE
    local service=$1 state deadline=$((SECONDS + READY_LIMIT))
    while :; do
        state=$(health "$service")
        case $state in
            ready) return 0 ;;
            'not running')
                show_log_end "$service"
                die "$service ended instead of becoming ready"
                ;;
        esac
        if [ "$SECONDS" -ge "$deadline" ]; then
            show_log_end "$service"
            http --max-time 3 "$(service_url "$service")/api/v1/ready" >&2 || true
            printf '\n' >&2
            die "$service was not ready within $READY_LIMIT s: $state"
        fi
        sleep 0.2
    done
}

stop_services() {
    local service file limit
    for service in api-gateway recommendation-service user-preference-service movie-service; do
        file=$(run_file "$DEV_DIR" "$service")
        limit=$(run_get "$file" shutdown || true)
        stop_process "$file" "$service" $((${limit:-10} + 5)) TERM KILL
    done
}

start_servers() {
    local service
    [ -z "$PG_NEEDS_PRIVATE" ] || start_postgres "$DEV_DIR" 5432 scram-sha-256 -c max_connections=200
    [ -z "$REDIS_NEEDS_PRIVATE" ] || start_redis "$DEV_DIR" 6379 16
    for service in $BACKENDS; do create_database "$service"; done
}

start_services() {
    local service file started='' outdated=''
    # The four together may keep thousands of connections open.
    ulimit -S -n 20480 2>/dev/null || true
    for service in $SERVICES; do
        LOG_OFFSET=0
        file=$(run_file "$DEV_DIR" "$service")
        if is_running "$file"; then
            if [ "$(run_get "$file" port)" != "$(configured_port "$service")" ]; then
                warn "$service goes on on port $(run_get "$file" port); \`restart\` moves it to $(configured_port "$service")"
            fi
            if [ "$BIN_DIR/$service" -nt "$file" ] || [ "$(run_get "$file" program)" != "$BIN_DIR/$service" ]; then
                warn "$service runs an older build; \`restart\` takes the new one"
            fi
            if settings_changed "$service"; then outdated="$outdated $service"; fi
        else
            say "starting $service"
            start_service "$service" # sets LOG_OFFSET
            started=yes
        fi
        wait_until_ready "$service"
    done
    [ -n "$started" ] || say "everything was running already"
    [ -z "$outdated" ] || warn "a .env has changed since these were started; \`restart\` lets them read it:$outdated"
}
# Whether a running service has been started with other .env files than there are now.
settings_changed() { # SERVICE
    local file
    file=$(run_file "$DEV_DIR" "$1")
    [ -z "${DEV_IGNORE_DOTENV:-}" ] && { [ .env -nt "$file" ] || [ "$1/.env" -nt "$file" ]; }
}

has_tmdb_access() { [ -n "$(conf movie-service TMDB_API_KEY '')$(conf movie-service TMDB_ACCESS_TOKEN '')" ]; }

movie_count() {
    http --max-time 10 "$(service_url movie-service)/api/v1/movies?page_size=1" 2>/dev/null |
        sed -n 's/.*"total_results": *\([0-9]*\).*/\1/p'
}

# An empty catalogue recommends nothing. The sample costs nobody anything; TMDB is asked only when the user says so.
CATALOGUE=''
fill_catalogue() {
    local count sample=''
    count=$(movie_count || true)
    if [ "${count:-0}" = 0 ] && ! has_tmdb_access; then
        say "loading the sample catalogue"
        http --fail --max-time 130 -X POST -o /dev/null "$(service_url movie-service)/api/v1/admin/sync" ||
            warn "the sample catalogue could not be loaded; see: $NAME logs movie-service"
        count=$(movie_count || true)
        sample=' (the sample, without a TMDB key)'
    fi
    if [ "${count:-0}" = 0 ]; then
        CATALOGUE="empty; fetch from TMDB with: $NAME sync 5"
    elif has_tmdb_access; then
        CATALOGUE="$count movies; fetch from TMDB with: $NAME sync 5"
    else
        CATALOGUE="$count movies$sample"
    fi
}

service_table() { # columns beside the name: port, pid, uptime, health, address; fails when not everything is ready
    local service file pid state colour all=0
    printf '\n%s%-25s %-6s %-8s %-12s %-20s %s%s\n' "$BOLD" SERVICE PORT PID UPTIME HEALTH 'SWAGGER UI' "$PLAIN"
    for service in api-gateway $BACKENDS; do
        file=$(run_file "$DEV_DIR" "$service")
        pid=- state=$(health "$service") colour=$GREEN
        is_running "$file" && pid=$(run_get "$file" pid)
        [ "$state" = ready ] || { all=3 colour=$RED; }
        printf '%-25s %-6s %-8s %-12s %s%-20s%s %s/swagger/\n' "$service" "$(service_port "$service")" "$pid" "$(uptime_of "$pid")" \
            "$colour" "$state" "$PLAIN" "$(service_url "$service" | sed 's/127\.0\.0\.1/localhost/')"
    done
    return "$all"
}
uptime_of() { # PID
    local time=''
    if [ "$1" != - ] && has ps; then time=$(ps -o etime= -p "$1" 2>/dev/null | tr -d ' ' || true); fi
    printf '%s' "${time:--}"
}

server_lines() {
    db_settings movie-service
    redis_settings movie-service
    printf '\n'
    server_line PostgreSQL postgres "$D_HOST" "$D_PORT" db_is_configured
    server_line Redis redis "$R_HOST" "$R_PORT" redis_is_configured
}
server_line() { # TITLE NAME HOST PORT IS_CONFIGURED
    local where="$3:$4" port
    port=$(running_port "$DEV_DIR" "$2")
    if [ -n "$port" ]; then
        where="127.0.0.1:$port (private)"
    elif ! "$5" movie-service && has_data "$DEV_DIR" "$2"; then
        where='not running (private)'
    elif ! limited 3 port_open "$3" "$4"; then
        where="$where (no answer)"
    fi
    printf '%-11s %s\n' "$1" "$where"
}

# --- Commands -----------------------------------------------------------------------------------------------------------------

cmd_start() {
    local gateway
    take_lock "$DEV_DIR"
    ensure_curl
    check_ports
    plan_postgres
    plan_redis
    build "$BUILD_PROFILE"
    [ "${1:-}" != restart ] || stop_services
    start_servers
    start_services
    fill_catalogue
    gateway=$(service_url api-gateway | sed 's/127\.0\.0\.1/localhost/')
    service_table || true
    server_lines
    printf '%-11s %s\n' Catalogue "$CATALOGUE"
    printf '%-11s %s/swagger/ has every operation of the platform\n' Open "$gateway"
    printf "%-11s curl -H 'Authorization: Bearer dev' '%s/api/v1/movies?page_size=3'\n" Try "$gateway"
}

cmd_stop() {
    take_lock "$DEV_DIR"
    stop_services
    stop_servers "$DEV_DIR"
    say "nothing is running"
}

cmd_status() {
    local code=0
    ensure_curl
    service_table || code=$?
    server_lines
    return "$code"
}

cmd_logs() { # [NAME]
    local name files=()
    case " $SERVICES postgres redis " in
        *" ${1:-postgres} "*) ;;
        *) die "there is no log of '$1'; choose one of: $SERVICES postgres redis" ;;
    esac
    for name in ${1:-$SERVICES postgres redis}; do
        [ ! -f "$DEV_DIR/logs/$name.log" ] || files+=("$DEV_DIR/logs/$name.log")
    done
    [ ${#files[@]} -gt 0 ] || die "there is no log yet in $(short "$DEV_DIR/logs")"
    exec tail -n 100 -F "${files[@]}"
}

SYNC_OPTIONS='--pages N, --year Y or --years A..B, --genres "Drama,War" or "Drama|War", --language LL'
cmd_sync() { # [PAGES], or options
    case ${1:-} in
        -*) sync_job "$@" ;;
        *) sync_now "$@" ;;
    esac
}
sync_now() { # [PAGES]
    local pages=${1:-} answer code
    [ $# -le 1 ] || die "sync takes one number of pages, or options: $SYNC_OPTIONS"
    case $pages in *[!0-9]*) die "the number of pages must be a number, not '$pages'" ;; esac
    ensure_curl
    [ "$(health api-gateway)" = ready ] || die "the platform is not running; start it with: $NAME start"
    # The gateway gives the sync 120 s.
    answer=$(http --max-time 130 -X POST -H 'Authorization: Bearer dev' -w '\n%{http_code}' \
        "$(service_url api-gateway)/api/v1/admin/sync${pages:+?pages=$pages}") || die "the gateway did not answer"
    code=${answer##*$'\n'}
    case $code in 2*) ;; *) die "the sync failed (HTTP $code): $(error_text "$answer")" ;; esac
    note_sample "$answer"
    say "completed: $(printf '%s\n' "$answer" | sed -n 's/.*"movies_synced":\([0-9]*\),"pages":\([0-9]*\).*/\1 movies of \2 pages stored/p')"
    print_failures "$answer"
}
error_text() { printf '%s\n' "$1" | sed -n 's/^{"error":"\([^"]*\)".*/\1/p'; }
# Who has just set a key may wonder.
note_sample() { # ANSWER
    case $1 in *'"source":"sample"'*) warn "movie-service has no TMDB key: this is the built-in sample" ;; esac
}
# Prints which pages failed and why, as an answer or a job lists them.
print_failures() { # ANSWER
    printf '%s\n' "$1" | sed -En 's/.*"(errors|failed_pages)":\[\{([^]]*)\}\].*/\2/p' |
        awk '{ n = split($0, errors, /\},\{/)
            for (i = 1; i <= n && i <= 10; i++) {
                gsub(/"year":null,|"page":null,|"/, "", errors[i]); gsub(/,/, ", ", errors[i]); gsub(/:/, " ", errors[i])
                sub(/error /, "", errors[i]); print "    " errors[i]
            }
            if (n > 10) print "    and more" }'
}

# Starts a sync in the background and follows it. Ctrl-C cancels it.
JOB=''      # its address
JOB_DATA='' # what is known of it, as JSON
sync_job() { # OPTIONS
    local name answer code query=(--data-urlencode mode=async)
    while [ $# -gt 0 ]; do
        case $1 in --*=*) set -- "${1%%=*}" "${1#*=}" "${@:2}" ;; esac
        case $1 in
            --pages | --year | --years | --language) name=${1#--} ;;
            --genres) name=with_genres ;;
            *) die "sync has no option '$1'; there are: $SYNC_OPTIONS" ;;
        esac
        [ $# -ge 2 ] || die "$1 needs a value"
        case $name:$2 in pages: | pages:*[!0-9]*) die "the number of pages must be a number, not '$2'" ;; esac
        query+=(--data-urlencode "$name=$2")
        shift 2
    done
    ensure_curl
    [ "$(health api-gateway)" = ready ] || die "the platform is not running; start it with: $NAME start"
    JOB=$(service_url api-gateway)/api/v1/admin/sync
    answer=$(http --max-time 60 -G -X POST -H 'Authorization: Bearer dev' -w '\n%{http_code}' "${query[@]}" "$JOB") ||
        die "the gateway did not answer"
    code=${answer##*$'\n'}
    [ "$code" = 202 ] || die "the sync was not started (HTTP $code): $(error_text "$answer")"
    note_sample "$answer"
    JOB_DATA=${answer%$'\n'*}
    JOB=$JOB/jobs/$(printf '%s\n' "$JOB_DATA" | sed -n 's/^{"id":\([0-9]*\),.*/\1/p')
    trap cancel_job INT
    follow_job
    trap 'exit 130' INT
    case $JOB_STATE in
        completed) return 0 ;;
        cancelled) warn "the job was cancelled; what is stored stays" && exit 130 ;;
        *) die "the job failed" ;;
    esac
}
cancel_job() {
    [ -z "$JOB_CANCELLED" ] || exit 130
    JOB_CANCELLED=yes
    printf '\n'
    if http -f -o /dev/null --max-time 10 -X DELETE -H 'Authorization: Bearer dev' "$JOB" 2>/dev/null; then
        say "asked the job to stop; Ctrl-C again leaves it alone"
    else
        warn "the job could not be asked to stop; to do so:  curl -X DELETE -H 'Authorization: Bearer dev' $JOB"
        warn "to watch it:  curl -N -H 'Authorization: Bearer dev' $JOB/events"
    fi
}
# Draws the events until the last one; a stream that breaks is asked for again.
follow_job() {
    local line event='' broken=$SECONDS
    draw_job
    while :; do
        # A comment comes every ten seconds.
        while IFS= read -r -t 40 line; do
            broken=$SECONDS
            case $line in
                event:*) event=${line#event: } ;;
                data:*)
                    JOB_DATA=${line#data: }
                    if [ "$event" = end ]; then
                        draw_job last
                        return 0
                    fi
                    draw_job
                    ;;
            esac
        done < <(http -f -N -H 'Authorization: Bearer dev' "$JOB/events" 2>/dev/null)
        [ $((SECONDS - broken)) -lt 60 ] || die "the job cannot be watched any more; to try again:  curl -N -H 'Authorization: Bearer dev' $JOB/events"
        sleep 1
    done
}
# One line that is drawn anew on a terminal, else a line every few seconds; at the end, what it came to.
JOB_PATTERN='"state":"([a-z]+)".*"pages":\{"total":([0-9]+),"done":([0-9]+),"failed":([0-9]+)\},"movies":\{"new":([0-9]+),"changed":([0-9]+),"unchanged":([0-9]+)\},"runtimes_left":([0-9]+),"pages_per_second":([0-9.]+),"seconds_left":(null|[0-9]+)'
JOB_STATE='' JOB_DRAWN='' JOB_CANCELLED=''
draw_job() { # [last]
    local bar='' percent=0 tried text left width=80
    [[ $JOB_DATA =~ $JOB_PATTERN ]] || return 0
    JOB_STATE=${BASH_REMATCH[1]} left=${BASH_REMATCH[10]}
    tried=$((BASH_REMATCH[3] + BASH_REMATCH[4]))
    [ "${BASH_REMATCH[2]}" = 0 ] || percent=$((100 * tried / BASH_REMATCH[2]))
    case $left in null) left='' ;; *) left=", $((left / 60)):$(printf '%02d' $((left % 60))) left" ;; esac
    text="$percent% $tried/${BASH_REMATCH[2]} pages, ${BASH_REMATCH[9]}/s$left, ${BASH_REMATCH[4]} failed, ${BASH_REMATCH[5]} new, ${BASH_REMATCH[6]} changed"
    if [ -n "${1:-}" ]; then
        [ ! -t 1 ] || printf '\r\033[K'
        text="$JOB_STATE: ${BASH_REMATCH[3]} of ${BASH_REMATCH[2]} pages stored, ${BASH_REMATCH[4]} failed; movies: ${BASH_REMATCH[5]} new, ${BASH_REMATCH[6]} changed, ${BASH_REMATCH[7]} unchanged"
        [ "${BASH_REMATCH[8]}" = 0 ] || text="$text; ${BASH_REMATCH[8]} runtimes follow in the background"
        say "$text"
        print_failures "$JOB_DATA"
    elif [ -t 1 ]; then
        while [ ${#bar} -lt 10 ]; do if [ ${#bar} -lt $((percent / 10)) ]; then bar=$bar#; else bar=$bar.; fi; done
        width=$(stty size 2>/dev/null </dev/tty | cut -d ' ' -f 2) || true
        [ "${width:-0}" -gt 0 ] || width=80
        text="[$bar] $text"
        printf '\r%s\033[K' "${text:0:$((width - 1))}"
    elif [ -z "$JOB_DRAWN" ] || [ $((SECONDS - JOB_DRAWN)) -ge 3 ]; then
        JOB_DRAWN=$SECONDS
        printf '%s\n' "$text"
    fi
}

cmd_reset() { # [--yes]
    local service prefix plan=''
    case ${1:-} in '' | --yes) ;; *) die "reset takes no '$1'; did you mean --yes?" ;; esac
    take_lock "$DEV_DIR"
    if has_data "$DEV_DIR" postgres; then plan="$plan  delete the private PostgreSQL's data"$'\n'; fi
    if has_data "$DEV_DIR" redis; then plan="$plan  delete the private Redis's data"$'\n'; fi
    for service in $BACKENDS; do
        ! uses_shared_postgres "$service" || { db_settings "$service" && plan="$plan  drop the database $D_NAME on $D_HOST:$D_PORT"$'\n'; }
    done
    for service in $SERVICES; do
        uses_shared_redis "$service" || continue
        redis_settings "$service"
        plan="$plan  delete the keys $(redis_prefixes "$service" | sed 's/ /* and /; s/$/*/') on Redis $R_HOST:$R_PORT, database $R_DB"$'\n'
    done
    printf 'This will:\n  stop the platform\n%s' "$plan"
    [ "${1:-}" = --yes ] || confirm 'Go on?' || die "nothing was changed; without a terminal say: $NAME reset --yes"
    stop_services
    stop_servers "$DEV_DIR"
    for service in $BACKENDS; do
        uses_shared_postgres "$service" || continue
        ensure_psql
        db_settings "$service"
        db postgres "DROP DATABASE IF EXISTS \"$(printf '%s' "$D_NAME" | sed 's/"/""/g')\"" || die "database $D_NAME could not be dropped"
    done
    for service in $SERVICES; do
        uses_shared_redis "$service" || continue
        redis_settings "$service"
        for prefix in $(redis_prefixes "$service"); do
            redis_commands "$R_HOST" "$R_PORT" "$R_PASSWORD" SELECT "$R_DB" \; EVAL "$DELETE_BY_PREFIX" 0 "$prefix" >/dev/null ||
                die "the keys $prefix* on Redis $R_HOST:$R_PORT could not be deleted"
        done
    done
    remove_data "$DEV_DIR" postgres
    remove_data "$DEV_DIR" redis
    rm -rf "$DEV_DIR/logs" "$DEV_DIR/run" "$DEV_DIR/empty"
    say "everything is as new"
}
# Only a server that lets us in holds anything of ours.
uses_shared_postgres() {
    db_is_configured "$1" || ! has_data "$DEV_DIR" postgres || return 1
    db_settings "$1"
    port_open "$D_HOST" "$D_PORT" && ensure_psql && db_login >/dev/null
}
uses_shared_redis() {
    redis_is_configured "$1" || ! has_data "$DEV_DIR" redis || return 1
    redis_settings "$1"
    redis_answers
}
redis_prefixes() {
    case $1 in
        api-gateway) printf 'ratelimit:' ;;
        movie-service) printf 'movies: movie:' ;;
        user-preference-service) printf 'user:pref:' ;;
        recommendation-service) printf 'recommendations:' ;;
    esac
}
DELETE_BY_PREFIX="local c, n = '0', 0 repeat local r = redis.call('SCAN', c, 'MATCH', ARGV[1] .. '*', 'COUNT', 500) c = r[1]
  for _, k in ipairs(r[2]) do n = n + redis.call('DEL', k) end until c == '0' return n"

# Private servers for tests and benchmarks: never the configured ones, on ports of their own, deleted afterwards.
start_test_servers() { # BASE [further PostgreSQL options]
    local base=$1 offset=$((RANDOM % 2000)) # two checkouts may be tested at the same time
    shift
    # shellcheck disable=SC2086
    unset $CONFIG_VARIABLES
    DEV_IGNORE_DOTENV=1
    take_lock "$base"
    TEST_BASE=$base
    ensure_curl
    ensure_compiler
    ensure_cargo
    [ -n "$(find_pg_bin)" ] || install_pg_server
    [ -n "$(find_pg_bin)" ] || die "PostgreSQL's server is missing; install the package that has initdb and postgres"
    ensure_psql
    ensure_redis_server
    remove_test_servers # what a killed run has left
    start_postgres "$base" $((15432 + offset)) trust -c max_connections=500 "$@"
    start_redis "$base" $((18432 + offset)) 20000
    export TEST_DATABASE_URL=postgres://postgres:postgres@127.0.0.1:$PG_PRIVATE_PORT/postgres
    export DATABASE_URL=$TEST_DATABASE_URL
    export TEST_REDIS_URL=redis://127.0.0.1:$REDIS_PRIVATE_PORT
}
remove_test_servers() {
    if [ -d "$TEST_BASE/platform" ]; then DEV_DIR=$TEST_BASE/platform "$BASH" "$SELF" stop >/dev/null; fi
    stop_servers "$TEST_BASE" >/dev/null
    remove_data "$TEST_BASE" postgres
    remove_data "$TEST_BASE" redis
}
stop_test_servers() {
    remove_test_servers
    TEST_BASE=''
}

# Programs of npm, installed under $DEV_DIR/tools in exactly these versions.
NEWMAN=newman@6.2.2
OPENAPI_TOOLS='@redocly/cli@2.77.0 @stoplight/spectral-cli@6.16.3 openapi-typescript@7.13.0 openapi-fetch@0.17.0 typescript@5.9.3'
ensure_node_tools() { # NAME@VERSION...
    local tools=$DEV_DIR/tools tool missing=()
    has node || install Node.js nodejs node
    has npm || install npm npm node
    for tool in "$@"; do
        grep -qF "\"version\": \"${tool##*@}\"" "$tools/node_modules/${tool%@*}/package.json" 2>/dev/null || missing+=("$tool")
    done
    [ ${#missing[@]} -gt 0 ] || return 0
    say "installing ${missing[*]} under $(short "$tools")"
    mkdir -p "$tools"
    # npm removes what it is not told of, so all are named.
    # shellcheck disable=SC2086
    npm install --prefix "$tools" --no-save --no-audit --no-fund --loglevel=error $NEWMAN $OPENAPI_TOOLS </dev/null ||
        die "${missing[*]} could not be installed with npm"
}

# Runs the platform a second time, on ports of its own and with the test servers, and sends it what users are given to send.
RESULTS=''
test_platform() {
    local base=$TEST_BASE/platform offset=$((20000 + RANDOM % 2000)) url failed=0
    local gateway movie user recommendation
    gateway=$(free_port "$offset")
    movie=$(free_port $((gateway + 1)))
    user=$(free_port $((movie + 1)))
    recommendation=$(free_port $((user + 1)))
    url=http://127.0.0.1:$gateway
    # Tests took database numbers as they liked, and may have left keys in ours.
    redis_commands 127.0.0.1 "$REDIS_PRIVATE_PORT" '' FLUSHALL >/dev/null
    local platform=(env DEV_DIR="$base" DEV_IGNORE_DOTENV=1 BUILD_PROFILE=dev DB_HOST=127.0.0.1 DB_PORT="$PG_PRIVATE_PORT"
        DB_USER=postgres DB_PASSWORD=postgres REDIS_ADDR="127.0.0.1:$REDIS_PRIVATE_PORT" RATE_LIMIT_MAX=1000000
        API_GATEWAY_PORT="$gateway" MOVIE_SERVICE_PORT="$movie" USER_PREFERENCE_SERVICE_PORT="$user"
        RECOMMENDATION_SERVICE_PORT="$recommendation" "$BASH" "$SELF")
    run_child "${platform[@]}" start || { note_result 'the platform' 'did not start' && return 1; }
    note_result 'the platform' 'started and became ready'
    say "$SAMPLE_REQUESTS"
    if run_child env BASE_URL="$url" "$BASH" "$SAMPLE_REQUESTS"; then
        note_result "$SAMPLE_REQUESTS" passed
    else
        note_result "$SAMPLE_REQUESTS" FAILED
        failed=1
    fi
    say "newman run $COLLECTION"
    ensure_node_tools $NEWMAN
    if run_child "$DEV_DIR/tools/node_modules/.bin/newman" run "$COLLECTION" --env-var "base_url=$url" --timeout 600000; then
        note_result "$COLLECTION" passed
    else
        note_result "$COLLECTION" FAILED
        failed=1
    fi
    if test_commands "$base" "${platform[@]}"; then
        note_result 'start again, status, sync, kill -9' passed
    else
        note_result 'start again, status, sync, kill -9' FAILED
        failed=1
    fi
    if run_child "${platform[@]}" stop && all_refuse "$gateway" "$movie" "$user" "$recommendation"; then
        note_result 'stopping the platform' 'left nothing running'
    else
        note_result 'stopping the platform' FAILED
        failed=1
    fi
    return "$failed"
}
# What the commands promise of a platform that runs: a second start changes nothing, a killed service is noticed and brought back.
test_commands() { # BASE COMMAND...
    local base=$1 before
    shift
    before=$(cat "$base"/run/*)
    run_child "$@" start >/dev/null || { warn 'a second start failed' && return 1; }
    [ "$(cat "$base"/run/*)" = "$before" ] || { warn 'a second start changed something' && return 1; }
    run_child "$@" status >/dev/null || { warn 'status finds fault with a healthy platform' && return 1; }
    run_child "$@" sync 1 >/dev/null || { warn 'sync failed' && return 1; }
    case $(run_child "$@" sync --pages 2 --years 1994..1995 --genres 'drama|Crime' --language en) in
        *'completed: 2 of 2 pages stored, 0 failed; movies: 0 new, 0 changed'*) ;;
        *) warn 'sync in the background did not complete' && return 1 ;;
    esac
    if run_child "$@" sync --pages 1 --genres Dramas >/dev/null 2>&1; then warn 'sync takes an unknown genre' && return 1; fi
    if run_child "$@" sync --page 1 >/dev/null 2>&1; then warn 'sync takes an unknown option' && return 1; fi
    kill -9 "$(run_get "$base/run/user-preference-service" pid)"
    if run_child "$@" status >/dev/null; then warn 'status does not notice a killed service' && return 1; fi
    run_child "$@" start >/dev/null || { warn 'a killed service was not started again' && return 1; }
    run_child "$@" status >/dev/null || { warn 'a killed service did not become healthy again' && return 1; }
}
all_refuse() { # PORT...
    local port
    for port in "$@"; do
        if port_open 127.0.0.1 "$port"; then warn "port $port is still open" && return 1; fi
    done
}
note_result() { RESULTS="$RESULTS$(printf '  %-40s %s' "$(basename "$1")" "$2")"$'\n'; }

cmd_test() { # [arguments for cargo test]
    local failed=0
    start_test_servers "$DEV_DIR/test" -c fsync=off -c full_page_writes=off
    if [ $# -gt 0 ]; then
        run_child cargo build --workspace --bins ${LOCKED:+"$LOCKED"} || die "the build failed"
        run_child cargo test ${LOCKED:+"$LOCKED"} "$@" || die "cargo test failed"
        return 0
    fi
    run_child cargo build --workspace --bins ${LOCKED:+"$LOCKED"} || die "the build failed"
    if run_child cargo test --workspace --no-fail-fast ${LOCKED:+"$LOCKED"}; then
        note_result 'cargo test' passed
    else
        note_result 'cargo test' FAILED
        failed=1
    fi
    test_platform || failed=1
    printf '\n%sWhat ran:%s\n%s' "$BOLD" "$PLAIN" "$RESULTS"
    [ "$failed" = 0 ] || die "the tests failed"
}

cmd_bench() { # [platform|catalogue] [arguments for the benchmark]
    local what=platform package=api-gateway
    case ${1:-} in
        platform) shift ;;
        catalogue) what=catalogue package=movie-service && shift ;;
    esac
    # The catalogue's takes the statements of the service from the log, which speaks English then. Memory and log as one gives
    # to a server with gigabytes of data: the defaults (128 MB, 1 GB) are for a machine of long ago.
    start_test_servers "$DEV_DIR/bench" -c lc_messages=C -c shared_buffers=2GB -c max_wal_size=8GB
    build production
    run_child env PLATFORM_BIN_DIR="$BIN_DIR" BENCH_PG_BIN="$(find_pg_bin)" BENCH_PG_LOG="$TEST_BASE/logs/postgres.log" \
        cargo bench --profile production ${LOCKED:+"$LOCKED"} -p "$package" --bench "$what" -- "$@" || die "the benchmark failed"
}

# Installs whatever the other commands would install.
cmd_setup() {
    ensure_curl
    ensure_compiler
    ensure_cargo
    [ -n "$(find_pg_bin)" ] || install_pg_server
    ensure_redis_server
    # shellcheck disable=SC2086
    ensure_node_tools $NEWMAN $OPENAPI_TOOLS
    say "everything that is needed is installed"
}

cmd_help() {
    cat <<HELP
Usage: $NAME COMMAND

  start            build and start everything that is not running yet, and wait until it is ready
  stop             stop the services, and the private PostgreSQL and Redis if there are any
  restart          build, then stop and start the services
  status           each service's health, port and pid; exit code 3 when one is not ready
  logs [NAME]      follow all logs, or one: $BACKENDS
                   api-gateway postgres redis
  sync [PAGES]     fill the catalogue through the gateway: from TMDB with a key, otherwise the sample
  sync --pages N [--year Y | --years A..B] [--genres G] [--language L]
                   the same in the background, up to 500 pages of each year, with a progress bar; Ctrl-C cancels it
  test [ARGS]      all tests, with private servers of their own; ARGS go to cargo test, which then runs alone
  bench [platform] the benchmark of the whole platform, on a production build and private servers of its own
  bench catalogue [SIZES]
                   the benchmark of a large catalogue, by default of 10000, 100000 and 1000000 movies
  openapi          write output/swagger/*.yaml from the code
  lint-openapi     check these files by Redocly's and Spectral's rules, and compile a client generated from them
  sqlx [--check]   write <service>/.sqlx, by which sqlx's macros are checked without a database; or only say what is out of date
  reset [--yes]    stop everything and delete the platform's data, after a question
  setup            only install what the others need

Environment: API_GATEWAY_PORT MOVIE_SERVICE_PORT USER_PREFERENCE_SERVICE_PORT RECOMMENDATION_SERVICE_PORT (8080 to 8083),
DEV_DIR (.dev), BUILD_PROFILE (start), NO_COLOR, and everything the services read; see .env.example.
HELP
}

# shellcheck source=.ci/dev/openapi.sh
. .ci/dev/openapi.sh
# shellcheck source=.ci/dev/sqlx.sh
. .ci/dev/sqlx.sh

main() {
    local command=${1:-help}
    [ $# -eq 0 ] || shift
    case $command in
        start | stop | status | restart | bench | openapi | lint-openapi | sqlx | setup | test | logs | sync | reset) ;;
        help | -h | --help)
            cmd_help
            return 0
            ;;
        *)
            cmd_help >&2
            die "there is no command '$command'"
            ;;
    esac
    if [ "$command" = restart ]; then cmd_start restart; else "cmd_${command//-/_}" "$@"; fi
}

main "$@"
