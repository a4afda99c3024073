# shellcheck shell=bash
# Ports and HTTP.

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
