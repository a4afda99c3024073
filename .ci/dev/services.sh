# shellcheck shell=bash
# The four services as processes.

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

metrics_address() { conf "$1" METRICS_ADDR "127.0.0.1:$(($(configured_port "$1") + 1000))"; } # SERVICE

start_service() { # SERVICE
    local service=$1 port settings peer name directory limit delay
    port=$(configured_port "$service")
    settings=("SERVER_PORT=$port" "METRICS_ADDR=$(metrics_address "$service")")
    for peer in $BACKENDS; do
        name=$(upper "$peer")_URL
        [ -n "$(conf "$service" "$name" '')" ] || settings+=("$name=$(service_url "$peer")")
        name=$(upper "$peer")_METRICS_URL
        [ "$service" != api-gateway ] || [ -n "$(conf "$service" "$name" '')" ] || settings+=("$name=http://$(metrics_address "$peer")")
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
    delay=$(conf "$service" SHUTDOWN_DELAY_SECONDS 0)
    case $limit$delay in *[!0-9]*) limit=10 delay=0 ;; esac # the service itself will complain
    launch "$DEV_DIR/logs/$service.log" "$directory" env "${settings[@]}" "$BIN_DIR/$service"
    # It may have ended already; then waiting for it says so.
    run_write "$(run_file "$DEV_DIR" "$service")" "$PID" "$port" "program=$BIN_DIR/$service" "shutdown=$((limit + delay))" || true
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

STOP_ORDER="api-gateway recommendation-service user-preference-service movie-service"
stop_services() { # SERVICE...
    local service file limit
    for service in "$@"; do
        file=$(run_file "$DEV_DIR" "$service")
        limit=$(run_get "$file" shutdown || true)
        stop_process "$file" "$service" $((${limit:-10} + 5)) TERM KILL
    done
}

# A process beside the services that keeps their logs from growing without end.
start_log_rotation() {
    local file
    file=$(run_file "$DEV_DIR" log-rotation)
    ! is_running "$file" || return 0
    mkdir -p "$DEV_DIR/logs"
    launch "$DEV_DIR/logs/rotation.log" / "$BASH" "$ROOT/.ci/dev/rotate-logs.sh" "$DEV_DIR/logs"
    run_write "$file" "$PID" 0 || true
}

start_servers() {
    local service
    start_log_rotation
    [ -z "$PG_NEEDS_PRIVATE" ] || start_postgres "$DEV_DIR" 5432 scram-sha-256 -c max_connections=200
    [ -z "$REDIS_NEEDS_PRIVATE" ] || start_redis "$DEV_DIR" 6379 16
    for service in $BACKENDS; do create_database "$service"; done
}

start_services() { # SERVICE...
    local service file started='' outdated=''
    # The four together may keep thousands of connections open.
    ulimit -S -n 20480 2>/dev/null || true
    for service in "$@"; do
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
