# shellcheck shell=bash
# The data that sqlx's macros check statements against at compile time: <service>/.sqlx, one file for each statement.

cmd_sqlx() { # [--check]
    local service database fresh stale=''
    start_test_servers "$DEV_DIR/sqlx" -c fsync=off
    fresh=$TEST_BASE/data
    for service in $BACKENDS; do
        database=$(printf '%s' "$service" | tr - _)
        rm -rf "${fresh:?}/$service"
        mkdir -p "$fresh/$service"
        migrate "$service" "$database"
        describe_statements "$service" "$database" "$fresh/$service"
        if [ "${1:-}" = --check ]; then
            stale=$stale$(different_files "$fresh/$service" "$service/.sqlx")
        else
            replace_files "$fresh/$service" "$service/.sqlx"
            say "$service/.sqlx: data of $(count_files "$fresh/$service") statements"
        fi
    done
    rm -rf "$fresh"
    [ -z "$stale" ] || die "these do not fit the code and the migrations; run: $NAME sqlx$stale"
    [ -z "${1:-}" ] || say "the data in <service>/.sqlx fits the code and the migrations"
}

# A database of its own with all of the service's migrations.
migrate() { # SERVICE DATABASE
    local file whole
    db postgres "CREATE DATABASE $2" >/dev/null || die "the database for $1 could not be created"
    for file in "$1"/migrations/*.sql; do
        # As sqlx does it: in one transaction, unless the file says otherwise.
        case $(head -n 1 "$file") in '-- no-transaction'*) whole='' ;; *) whole=--single-transaction ;; esac
        run_psql "$2" ${whole:+"$whole"} -f "$file" >/dev/null || die "$file could not be applied"
    done
}

# The macros write what PostgreSQL says about each statement while they are compiled. Cargo does not know that they should be
# compiled again, so one source of each target gets a new time, and its old one afterwards.
describe_statements() { # SERVICE DATABASE FOLDER
    local file code=0 times=$TEST_BASE/times
    rm -rf "$times"
    for file in "$1"/src/lib.rs "$1"/src/main.rs "$1"/tests/*/main.rs "$1"/benches/*.rs; do
        [ -f "$file" ] || continue
        mkdir -p "$times/$(dirname "$file")"
        touch -r "$file" "$times/$file"
        touch "$file"
    done
    run_child env SQLX_OFFLINE=false SQLX_OFFLINE_DIR="$3" DATABASE_URL="${TEST_DATABASE_URL%/*}/$2" \
        cargo check -q -p "$1" --all-targets ${LOCKED:+"$LOCKED"} || code=$?
    (cd "$times" && find . -type f) | while read -r file; do touch -r "$times/$file" "$file"; done
    [ "$code" = 0 ] || die "$1 does not compile against its migrations"
}

count_files() { find "$1" -name 'query-*.json' | wc -l | tr -d ' '; }

# Prints the files that differ, one on a line, or are in one of the folders only.
different_files() { # FRESH COMMITTED
    local file
    for file in "$1"/*.json "$2"/*.json; do
        file=${file##*/}
        [ "$file" != '*.json' ] || continue
        cmp -s "$1/$file" "$2/$file" || printf '\n  %s/%s' "$2" "$file"
    done | sort -u
}

# Unchanged files keep their times; what no statement needs any more goes.
replace_files() { # FRESH COMMITTED
    local file
    for file in "$2"/*.json; do
        [ ! -f "$file" ] || [ -f "$1/${file##*/}" ] || rm "$file"
    done
    for file in "$1"/*.json; do
        [ -f "$file" ] || continue
        mkdir -p "$2"
        cmp -s "$file" "$2/${file##*/}" || cp "$file" "$2/"
    done
    [ ! -d "$2" ] || rmdir "$2" 2>/dev/null || true
}
