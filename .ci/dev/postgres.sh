# shellcheck shell=bash
# PostgreSQL: the one that is configured or listens on the default port, or a private one.

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

PSQL=''
ensure_psql() {
    local dir
    [ -z "$PSQL" ] || return 0
    dir=$(find_pg_bin)
    if [ -n "$dir" ]; then
        PSQL=$dir/psql
    else
        ensure psql
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

# Prints what must be installed for the plan below. Where there is no client, nobody has a server on the default port for us.
postgres_needs() {
    local service others=''
    for service in $BACKENDS; do db_is_configured "$service" || others=$service; done
    if [ -z "$others" ]; then
        printf psql
    elif ! has_data "$DEV_DIR" postgres && is_installed psql && port_open localhost 5432; then
        ensure_psql
        db_settings "$others"
        db_login >/dev/null || printf postgres
    else
        printf postgres
    fi
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
    ensure postgres
    ensure_psql
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
