# shellcheck shell=bash
# Redis: the one that is configured or listens on the default port, or a private one.

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

# Prints what must be installed for the plan below.
redis_needs() {
    local service others=''
    for service in $SERVICES; do redis_is_configured "$service" || others=$service; done
    [ -n "$others" ] || return 0
    redis_settings "$others"
    if has_data "$DEV_DIR" redis || ! redis_answers; then printf redis; fi
}

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
    ensure redis
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
