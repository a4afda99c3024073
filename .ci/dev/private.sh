# shellcheck shell=bash
# The private servers' data and processes. $DEV_DIR/postgres and $DEV_DIR/redis are their data.

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

# SIGINT is PostgreSQL's fast shutdown, SIGQUIT its immediate one; SIGKILL would leave its children behind.
stop_servers() { # BASE
    stop_process "$(run_file "$1" log-rotation)" 'the rotation of logs' 5 TERM KILL >/dev/null
    stop_process "$(run_file "$1" redis)" 'the private Redis' 10 TERM KILL
    stop_process "$(run_file "$1" postgres)" 'the private PostgreSQL' 30 INT QUIT
}
