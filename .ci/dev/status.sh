# shellcheck shell=bash
# What runs where, and what the catalogue holds.

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
