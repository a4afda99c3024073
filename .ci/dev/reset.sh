# shellcheck shell=bash
# Deleting the platform's data.

cmd_reset() { # [--yes]
    local service prefix plan=''
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
    if [ "${1:-}" != --yes ]; then
        [ -t 0 ] || die "nothing was changed: there is no terminal to ask on; to do it without a question: $NAME reset --yes"
        if ! confirm 'Go on?'; then
            say "nothing was changed, and nothing was stopped"
            return 0
        fi
    fi
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
    rm -rf "$DEV_DIR/logs" "$DEV_DIR/run" "$DEV_DIR/empty" "$DEV_DIR/demo"
    say "the platform's data is deleted"
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
