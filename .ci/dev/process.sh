# shellcheck shell=bash
# Processes that are started, found again and stopped.
# $DEV_DIR/run/NAME says what was started (pid, the process's start time, port), $DEV_DIR/logs has what it printed. Only what
# such a file names is ever stopped.

# Prints what tells this process from a later one with the same pid: its start time. Fails for a dead one and for a zombie.
proc_identity() {
    local stat=''
    if [ -r /proc/self/stat ]; then
        stat=$(cat "/proc/$1/stat" 2>/dev/null) || return 1
        # Fields count from behind the command name, which may hold anything: the 1st is the state, the 20th the start in ticks.
        # shellcheck disable=SC2086
        set -- ${stat##*) }
        [ "$1" != Z ] && [ "$1" != X ] || return 1
        printf '%s@%s' "${20}" "$(cat /proc/sys/kernel/random/boot_id 2>/dev/null || true)"
    else
        stat=$(LC_ALL=C ps -o stat=,lstart= -p "$1" 2>/dev/null) || return 1
        case $stat in '' | Z*) return 1 ;; esac
        printf '%s' "${stat#* }" | tr -s ' '
    fi
}

# A run file holds lines of NAME=VALUE about one started process.
run_file() { printf '%s/run/%s' "$1" "$2"; } # BASE NAME
run_get() { [ -f "$1" ] && sed -n "s/^$2=//p" "$1"; }
run_write() { # FILE PID PORT, then further NAME=VALUE
    local file=$1 pid=$2 port=$3 identity
    shift 3
    identity=$(proc_identity "$pid") || return 1
    mkdir -p "$(dirname "$file")"
    printf '%s\n' "pid=$pid" "identity=$identity" "port=$port" "$@" >"$file.new"
    mv "$file.new" "$file"
}
is_running() { # FILE
    local pid
    pid=$(run_get "$1" pid) || return 1
    [ -n "$pid" ] && [ "$(proc_identity "$pid" || true)" = "$(run_get "$1" identity)" ]
}

# Starts a command in a session of its own, so that neither closing the terminal nor Ctrl-C reaches it. Sets PID, and LOG_OFFSET,
# from where on the log is this process's.
launch() { # LOG DIRECTORY COMMAND...
    local log=$1 directory=$2
    shift 2
    if has setsid; then
        set -- setsid "$@"
    elif has perl; then
        # shellcheck disable=SC2016
        set -- perl -MPOSIX=setsid -e 'setsid(); exec { $ARGV[0] } @ARGV or die "$ARGV[0]: $!\n"' "$@"
    else
        set -- nohup "$@"
    fi
    mkdir -p "$(dirname "$log")"
    LOG_OFFSET=0
    [ ! -f "$log" ] || LOG_OFFSET=$(wc -c <"$log")
    (cd "$directory" && exec "$@") </dev/null >>"$log" 2>&1 &
    PID=$!
}

# Stops what a run file names: first SIGNAL, and after LIMIT seconds LAST_SIGNAL.
stop_process() { # FILE NAME LIMIT SIGNAL LAST_SIGNAL
    local file=$1 name=$2 limit=$3 pid deadline
    if is_running "$file"; then
        pid=$(run_get "$file" pid)
        kill "-$4" "$pid" 2>/dev/null || ! is_running "$file" ||
            die "$name (pid $pid) cannot be stopped by this user; run this as the one who started it"
        deadline=$((SECONDS + limit))
        while is_running "$file" && [ "$SECONDS" -lt "$deadline" ]; do sleep 0.1; done
        if is_running "$file"; then
            warn "$name (pid $pid) did not end within $limit s; sending SIG$5"
            kill "-$5" "$pid" 2>/dev/null || true
            deadline=$((SECONDS + 10))
            while is_running "$file" && [ "$SECONDS" -lt "$deadline" ]; do sleep 0.1; done
            ! is_running "$file" || die "$name (pid $pid) is still there after SIG$5"
        fi
        say "stopped $name"
    fi
    rm -f "$file"
}

# Runs a command in a process group of its own and waits for it, so that an interrupt ends all of it at once: bash would put off
# its traps until a command in the foreground has ended.
CHILD=''
run_child() {
    local code=0
    set -m
    "$@" </dev/null &
    CHILD=$!
    set +m
    wait "$CHILD" || code=$?
    CHILD=''
    return "$code"
}

# Runs a command for at most LIMIT seconds; macOS has no timeout(1).
limited() { # LIMIT COMMAND...
    local deadline=$((SECONDS + $1)) pid
    shift
    "$@" &
    pid=$!
    while kill -0 "$pid" 2>/dev/null && [ "$SECONDS" -le "$deadline" ]; do sleep 0.05; done
    kill -9 "$pid" 2>/dev/null || true
    wait "$pid" 2>/dev/null
}

# One start, stop or reset at a time. A lock whose owner is gone is taken over.
LOCK=''
take_lock() { # DIRECTORY
    local lock=$1/lock deadline=$((SECONDS + 900)) told='' aside
    mkdir -p "$1"
    until mkdir "$lock" 2>/dev/null; do
        if ! is_running "$lock/owner"; then
            sleep 1 # a lock made this moment may not name its owner yet
            aside=$lock.$$
            if ! is_running "$lock/owner" && mv "$lock" "$aside" 2>/dev/null; then
                # Another one may have taken it over between the look and the move: then it gets it back.
                if is_running "$aside/owner"; then mv "$aside" "$lock"; else rm -rf "$aside"; fi
            fi
            continue
        fi
        [ -n "$told" ] || say "waiting for another $NAME (pid $(run_get "$lock/owner" pid)) to finish"
        told=yes
        [ "$SECONDS" -lt "$deadline" ] || die "another $NAME (pid $(run_get "$lock/owner" pid)) has been busy for too long"
        sleep 0.5
    done
    LOCK=$lock
    run_write "$lock/owner" $$ 0
}
release_lock() { [ -z "$LOCK" ] || rm -rf "$LOCK"; LOCK=''; }

on_exit() {
    local code=$?
    trap - EXIT INT TERM HUP
    set +e
    if [ -n "$CHILD" ]; then
        kill -TERM -- "-$CHILD" 2>/dev/null
        wait "$CHILD" 2>/dev/null
    fi
    [ -z "$TEST_BASE" ] || stop_test_servers
    release_lock
    exit "$code"
}
TEST_BASE=''
trap on_exit EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP
