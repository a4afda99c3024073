# shellcheck shell=bash
# The conformance suite of gateways (api-gateway/tests/conformance) against this gateway or another one.

SUITE=api-gateway/tests/conformance

cmd_conformance() { # [nginx | haproxy | HOST:PORT UPSTREAM_PORT]
    case ${1:-} in
        '') cmd_test -p api-gateway --test conformance ;;
        nginx | haproxy) check_suite_with "$1" ;;
        *:*) CONFORMANCE_TARGET=$1 CONFORMANCE_UPSTREAM_PORT=${2:?the port that $1 forwards to} run_suite || die "some tests failed" ;;
        *) die "conformance does not take '$1', only: nginx, haproxy, or HOST:PORT UPSTREAM_PORT" ;;
    esac
}

# The tests share one gateway and one upstream, so they run one after the other.
run_suite() {
    export CONFORMANCE_TARGET CONFORMANCE_UPSTREAM_PORT
    ensure compiler
    ensure_cargo
    run_child cargo test ${LOCKED:+"$LOCKED"} -p api-gateway --test conformance -- --test-threads=1
}

# A check of the suite itself: it must find in another gateway what is known of it, neither less nor more.
check_suite_with() { # GATEWAY
    local gateway=$1 port results failed
    take_lock "$DEV_DIR/conformance"
    TEST_BASE=$DEV_DIR/conformance results=$TEST_BASE/$gateway
    remove_test_servers # what a killed run has left
    ensure "$gateway"
    mkdir -p "$results"
    port=$(free_port $((21000 + RANDOM % 2000)))
    CONFORMANCE_UPSTREAM_PORT=$(free_port $((port + 1)))
    export CONFORMANCE_LIMITED_TARGET CONFORMANCE_LIMIT=20
    CONFORMANCE_TARGET=127.0.0.1:$port CONFORMANCE_LIMITED_TARGET=127.0.0.1:$(free_port $((CONFORMANCE_UPSTREAM_PORT + 1)))
    "configure_$gateway" "$results" >"$results/config"
    launch "$TEST_BASE/logs/$gateway.log" / "$(find_program "$gateway")" "${GATEWAY_ARGUMENTS[@]}" "$results/config"
    run_write "$(run_file "$TEST_BASE" gateway)" "$PID" "$port" || die "$gateway did not start; see $(short "$TEST_BASE/logs/$gateway.log")"
    say "running the suite against $("$(find_program "$gateway")" -v 2>&1 | head -n 1)"
    run_suite >"$results/output" 2>&1 || true
    grep -q '^test result:' "$results/output" || die "the suite did not run; see $(short "$results/output")"
    sed -nE 's/^test ([^ ]*) \.\.\. (ok|FAILED)$/\2 \1/p' "$results/output" | sort
    failed=$(sed -n 's/^test \([^ ]*\) \.\.\. FAILED$/\1/p' "$results/output" | sort)
    diff <(awk '{print $1}' "$SUITE/known-failures/$gateway" | sort) <(printf '%s\n' "$failed") ||
        die "$gateway fails other tests than $SUITE/known-failures/$gateway says ($(short "$results/output") says why)"
    say "$gateway fails exactly the tests that $SUITE/known-failures/$gateway lists"
}

# Debian keeps programs for root only outside an ordinary user's PATH.
find_program() { command -v "$1" || command -v "/usr/sbin/$1"; }

# Both gateways are configured as their documentation shows it: one path answered by themselves, one public prefix, a token for
# the rest, forwarded addresses, a limit for each client, and time limits for slow clients.
configure_nginx() { # FOLDER
    GATEWAY_ARGUMENTS=(-e stderr -c)
    cat >"$1/locations" <<CONFIG
proxy_http_version 1.1;
proxy_set_header Connection "";
proxy_set_header X-Real-IP \$remote_addr;
proxy_set_header X-Forwarded-For \$proxy_add_x_forwarded_for;
proxy_set_header X-Forwarded-Host \$host;
proxy_set_header X-Forwarded-Proto \$scheme;
if (\$token = 0) { return 401; }
location = /health { return 200 ok; }
location /swagger/ { proxy_pass http://service; }
location /api/ { proxy_pass http://service; }
location / { return 404; }
CONFIG
    cat <<CONFIG
daemon off;
worker_processes 2;
worker_rlimit_nofile 16384;
pid $1/pid;
events { worker_connections 8192; }
http {
    access_log off;
    client_body_temp_path $1/body;
    proxy_temp_path $1/proxy;
    fastcgi_temp_path $1/fastcgi;
    scgi_temp_path $1/scgi;
    uwsgi_temp_path $1/uwsgi;
    client_header_timeout 5s;
    client_body_timeout 10s;
    client_max_body_size 16m;
    limit_req_zone \$binary_remote_addr zone=clients:1m rate=1r/m;
    limit_req_status 429;
    map \$http_authorization \$bearer { default 0; "~^Bearer ." 1; }
    map \$uri \$token { default \$bearer; /health 1; ~^/swagger/ 1; }
    upstream service { server 127.0.0.1:$CONFORMANCE_UPSTREAM_PORT; keepalive 64; }
    server {
        listen $CONFORMANCE_TARGET backlog=4096;
        include $1/locations;
    }
    server {
        listen $CONFORMANCE_LIMITED_TARGET;
        limit_req zone=clients burst=$((CONFORMANCE_LIMIT - 1)) nodelay;
        include $1/locations;
    }
}
CONFIG
}

configure_haproxy() { # FOLDER
    GATEWAY_ARGUMENTS=(-db -f)
    cat <<CONFIG
global
    maxconn 8192
    nbthread 2
defaults
    mode http
    option forwardfor
    timeout connect 5s
    timeout client 10s
    timeout server 30s
    timeout http-request 5s
    default_backend service
frontend gateway
    bind $CONFORMANCE_TARGET
    http-request return status 200 content-type text/plain string ok if { path /health }
    http-request deny deny_status 401 if !{ path_beg /swagger/ } !{ req.hdr(authorization) -m reg "^Bearer ." }
    http-request deny deny_status 404 if !{ path_beg /swagger/ /api/ }
    http-request set-header X-Forwarded-Host %[req.hdr(host)]
    http-request set-header X-Forwarded-Proto http
frontend limited
    bind $CONFORMANCE_LIMITED_TARGET
    stick-table type ip size 10k expire 1h store http_req_cnt
    http-request track-sc0 src
    http-request deny deny_status 429 if { sc_http_req_cnt(0) gt $CONFORMANCE_LIMIT }
backend service
    server service 127.0.0.1:$CONFORMANCE_UPSTREAM_PORT
CONFIG
}
