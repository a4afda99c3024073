# shellcheck shell=bash
# Installing what is missing: from the system's packages, and programs of npm under $DEV_DIR/tools.

# Runs a command as root: as it is, or through sudo, which may ask for a password only on a terminal.
as_root() {
    if [ "$(id -u)" = 0 ]; then
        "$@"
    elif has sudo && [ -t 0 ]; then
        sudo "$@"
    elif has sudo; then
        sudo -n "$@"
    else
        return 1
    fi
}

# Whether something that a command needs is there.
is_installed() { # WHAT
    case $1 in
        compiler) has cc ;;
        psql) [ -n "$(find_pg_bin)" ] || has psql ;;
        postgres) [ -n "$(find_pg_bin)" ] ;;
        redis) find_redis ;;
        nginx | haproxy) find_program "$1" >/dev/null ;;
        node) has node && has npm ;;
        chromium) [ -n "$(find_chromium)" ] ;;
        prometheus) has prometheus && has promtool ;;
        *) has "$1" ;;
    esac
}
find_chromium() {
    local name
    for name in chromium chromium-browser google-chrome; do
        ! command -v "$name" || return 0
    done
    name='/Applications/Chromium.app/Contents/MacOS/Chromium'
    [ ! -x "$name" ] || printf '%s' "$name"
}
apt_packages() {
    case $1 in
        curl) printf 'curl ca-certificates' ;;
        compiler) printf 'build-essential' ;;
        psql) printf 'postgresql-client' ;;
        postgres) printf 'postgresql' ;;
        redis) printf 'redis-tools' ;;
        nginx) printf 'nginx-light' ;;
        haproxy) printf 'haproxy' ;;
        prometheus) printf 'prometheus' ;;
        node) printf 'nodejs npm' ;;
        chromium) printf 'chromium' ;;
    esac
}
brew_packages() {
    case $1 in psql) printf 'libpq' ;; postgres) printf 'postgresql@17' ;; *) printf '%s' "$1" ;; esac
}

# Installs all that is missing at once, or says in one message what is and how to install it.
ensure() { # WHAT...
    local what missing='' packages=''
    for what in "$@"; do is_installed "$what" || missing="$missing $what"; done
    [ -n "$missing" ] || return 0
    [ "$(uname -s)" != Darwin ] || is_installed compiler || die "a C compiler is missing; install it with: xcode-select --install"
    # shellcheck disable=SC2086
    if has apt-get; then
        for what in $missing; do packages="$packages $(apt_packages "$what")"; done
        if [ "$(id -u)" != 0 ] && ! has sudo; then
            die "missing:$missing; this user cannot install them (no sudo). As root, run:"$'\n'"  $(apt_command "$missing" "$packages")"
        fi
        say "missing:$missing; installing$packages with apt-get (its output: $(short "$PACKAGE_LOG"))"
        apt_install "$missing" $packages
    elif has brew; then
        for what in $missing; do packages="$packages $(brew_packages "$what")"; done
        say "missing:$missing; installing$packages with Homebrew (its output: $(short "$PACKAGE_LOG"))"
        mkdir -p "$DEV_DIR/logs"
        HOMEBREW_NO_AUTO_UPDATE=1 brew install $packages </dev/null >>"$PACKAGE_LOG" 2>&1 || package_failure "brew install$packages"
    else
        die "missing:$missing; install them with this system's package manager"
    fi
    hash -r
    for what in $missing; do
        case $what in
            redis) ensure_redis_server ;;
            nginx | haproxy | prometheus) disable_service "$what" ;;
            *) is_installed "$what" || die "$what is still missing after the installation; see $(short "$PACKAGE_LOG")" ;;
        esac
    done
}
PACKAGE_LOG=$DEV_DIR/logs/packages.log

package_failure() { # COMMAND
    tail -n 15 "$PACKAGE_LOG" >&2 || true
    die "the installation failed; its output is in $(short "$PACKAGE_LOG"). To try again: $1"
}

# Debian's package of PostgreSQL makes and starts a cluster of its own, which nobody asked for here, unless a file tells it not to.
CLUSTER_FOLDER=/etc/postgresql-common/createcluster.d
CLUSTER_FILE=$CLUSTER_FOLDER/zz-no-main-cluster.conf
apt_command() { # MISSING PACKAGES
    local install="apt-get update && apt-get install -y --no-install-recommends$2"
    case "$1 " in
        *' postgres '*)
            install="mkdir -p $CLUSTER_FOLDER && echo 'create_main_cluster = false' >$CLUSTER_FILE && $install && rm $CLUSTER_FILE"
            ;;
    esac
    printf '%s' "$install"
}
apt_install() { # MISSING PACKAGES...
    local missing=$1 made='' code=0
    shift
    mkdir -p "$DEV_DIR/logs"
    case "$missing " in
        *' postgres '*)
            [ -d "$CLUSTER_FOLDER" ] || made=yes
            if as_root mkdir -p "$CLUSTER_FOLDER" 2>/dev/null; then
                printf 'create_main_cluster = false\n' | as_root tee "$CLUSTER_FILE" >/dev/null
            fi
            ;;
    esac
    {
        as_root env DEBIAN_FRONTEND=noninteractive apt-get update -q &&
            as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends -o DPkg::Lock::Timeout=120 "$@"
    } </dev/null >>"$PACKAGE_LOG" 2>&1 || code=$?
    case "$missing " in
        *' postgres '*)
            as_root rm -f "$CLUSTER_FILE" 2>/dev/null || true
            [ -z "$made" ] || as_root rmdir "$CLUSTER_FOLDER" 2>/dev/null || true
            ;;
    esac
    [ "$code" = 0 ] || package_failure "sudo sh -c \"$(apt_command "$missing" " $*")\""
}

# The service of a package that was not there before: the installation has started it, and it is nobody's yet.
disable_service() { # NAME
    if has systemctl; then as_root systemctl disable --now "$1" >/dev/null 2>&1 || true; fi
}

# Where redis-tools does not have the server.
ensure_redis_server() {
    ! find_redis || return 0
    if has apt-get; then
        apt_install redis redis-server
        disable_service redis-server
    fi
    find_redis || die "Redis's server is missing; install the package that has redis-server"
}

# Programs of npm, installed under $DEV_DIR/tools in exactly these versions.
NEWMAN=newman@6.2.2
OPENAPI_TOOLS='@redocly/cli@2.77.0 @stoplight/spectral-cli@6.16.3 openapi-typescript@7.13.0 openapi-fetch@0.17.0 typescript@5.9.3'
# Those of the web page's tests; the browser is the system's.
PAGE_TOOLS='@playwright/test@1.65.1 @axe-core/playwright@4.14.0'
ensure_node_tools() { # NAME@VERSION...
    local tools=$DEV_DIR/tools tool missing=()
    ensure node
    for tool in "$@"; do
        grep -qF "\"version\": \"${tool##*@}\"" "$tools/node_modules/${tool%@*}/package.json" 2>/dev/null || missing+=("$tool")
    done
    [ ${#missing[@]} -gt 0 ] || return 0
    say "installing ${missing[*]} under $(short "$tools")"
    mkdir -p "$tools"
    # npm removes what it is not told of, so all are named.
    # shellcheck disable=SC2086
    npm install --prefix "$tools" --no-save --no-audit --no-fund --loglevel=error $NEWMAN $OPENAPI_TOOLS $PAGE_TOOLS </dev/null ||
        die "${missing[*]} could not be installed with npm"
}

