# shellcheck shell=bash
# start, stop, restart, status, logs, sync.

cmd_start() {
    prepare_start
    start_servers
    # shellcheck disable=SC2086
    start_services $SERVICES
    fill_catalogue
    show_start
}

cmd_restart() { # [SERVICE]
    prepare_start
    # shellcheck disable=SC2086
    stop_services ${1:-$STOP_ORDER}
    start_servers
    # shellcheck disable=SC2086
    start_services ${1:-$SERVICES}
    fill_catalogue
    show_start
}

# All that can be found wrong is, before anything is started or stopped.
prepare_start() {
    take_lock "$DEV_DIR"
    check_ports
    # shellcheck disable=SC2046
    ensure curl compiler $(postgres_needs) $(redis_needs)
    plan_postgres
    plan_redis
    build "$BUILD_PROFILE"
}

show_start() {
    local gateway pretty=''
    gateway=$(service_url api-gateway | sed 's/127\.0\.0\.1/localhost/')
    if has jq; then pretty=' | jq'; fi
    service_table || true
    server_lines
    printf '%-11s %s\n' Catalogue "$CATALOGUE"
    printf '%-11s %s/ to discover movies; %s/swagger/ has every operation\n' Open "$gateway" "$gateway"
    printf "%-11s curl -s -H 'Authorization: Bearer dev' '%s/api/v1/movies?page_size=3'%s\n" Try "$gateway" "$pretty"
}

cmd_stop() { # [SERVICE]
    take_lock "$DEV_DIR"
    if [ -n "${1:-}" ]; then
        is_running "$(run_file "$DEV_DIR" "$1")" || say "$1 is not running"
        stop_services "$1"
        return 0
    fi
    # shellcheck disable=SC2086
    stop_services $STOP_ORDER
    stop_servers "$DEV_DIR"
    say "nothing is running"
}

cmd_status() {
    local code=0
    ensure curl
    service_table || code=$?
    server_lines
    return "$code"
}

cmd_logs() { # [NAME]
    local name files=()
    # shellcheck disable=SC2086
    for name in ${1:-$SERVICES postgres redis}; do
        [ ! -f "$DEV_DIR/logs/$name.log" ] || files+=("$DEV_DIR/logs/$name.log")
    done
    [ ${#files[@]} -gt 0 ] || die "there is no log ${1:+of $1 }yet in $(short "$DEV_DIR/logs")"
    [ -z "${1:-}" ] || exec tail -n 100 -F "${files[@]}"
    # Also a single file has a title with -v, but not everywhere; the second one is empty.
    exec tail -n 20 -F "${files[@]}" /dev/null > >(prefix_lines) 2>/dev/null
}
# Puts the name of its log before each line. `tail` writes a title where it turns to another log, after an empty line.
prefix_lines() {
    local line name='' empty=''
    while IFS= read -r line; do
        case $line in
            '==> '*' <==')
                name=${line#==> } name=${name% <==} name=${name##*/} name=${name%.log} empty=''
                continue
                ;;
        esac
        [ -z "$empty" ] || printf '%s%-23s |%s\n' "$BOLD" "$name" "$PLAIN"
        empty=''
        if [ -n "$line" ]; then printf '%s%-23s |%s %s\n' "$BOLD" "$name" "$PLAIN" "$line"; else empty=yes; fi
    done
}

# movie-service has the program that follows a sync; this one only knows where the platform is.
cmd_sync() { # ARGUMENTS...
    local program
    ensure curl
    [ "$(health api-gateway)" = ready ] || die "the platform is not running; start it with: $NAME start"
    program=$(run_get "$(run_file "$DEV_DIR" movie-service)" program || true)
    [ -x "$program" ] || die "movie-service does not run; start it with: $NAME start"
    exec "$program" sync --url "$(service_url api-gateway)" "$@"
}
