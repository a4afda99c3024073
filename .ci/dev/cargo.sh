# shellcheck shell=bash
# The toolchain and the build.

cargo_version() { cargo --version 2>/dev/null | sed -n 's/^cargo \([0-9.]*\).*/\1/p'; }
version_at_least() { # VERSION WANTED
    [ -n "$1" ] && printf '%s\n' "$2" "$1" | awk -F. '
        NR == 1 { a = $1; b = $2; c = $3 } NR == 2 { exit !($1 > a || ($1 == a && ($2 > b || ($2 == b && $3 + 0 >= c + 0)))) }'
}

# A toolchain that rust-version allows. rustup's installer runs only after a question; no toolchain file downloads one unasked.
ensure_cargo() {
    local wanted found command
    # Freshly installed by rustup, and not yet on this shell's PATH.
    if ! has cargo && [ -x "${CARGO_HOME:-${HOME:-}/.cargo}/bin/cargo" ]; then PATH=${CARGO_HOME:-$HOME/.cargo}/bin:$PATH; fi
    wanted=$(sed -n 's/^rust-version *= *"\([0-9.]*\)".*/\1/p' Cargo.toml | head -n 1)
    found=$(cargo_version || true)
    version_at_least "$found" "$wanted" && return 0
    if has rustup; then
        command='rustup update stable'
    else
        command="curl --proto '=https' --tlsv1.2 -sSf https://sh.rustup.rs | sh -s -- -y"
    fi
    warn "Rust $wanted or later is needed; ${found:+cargo here is }${found:-there is no cargo here}"
    confirm "Run \`$command\` now?" || die "Rust $wanted or later is needed; run: $command"
    ensure curl
    bash -c "set -o pipefail; $command" || die "that did not work; see https://rustup.rs"
    PATH=${CARGO_HOME:-$HOME/.cargo}/bin:$PATH
    hash -r
    found=$(cargo_version || true)
    version_at_least "$found" "$wanted" ||
        die "cargo is still ${found:-missing}; run: rustup default stable"
}

target_dir() {
    local dir=${CARGO_TARGET_DIR:-}
    [ -n "$dir" ] || dir=$(cargo metadata --format-version 1 --no-deps --offline 2>/dev/null | sed -n 's/.*"target_directory":"\([^"]*\)".*/\1/p' || true)
    dir=${dir:-target}
    case $dir in /*) printf '%s' "$dir" ;; *) printf '%s/%s' "$ROOT" "$dir" ;; esac
}
bin_dir() { # PROFILE
    local folder=$1
    case $1 in dev | test) folder=debug ;; bench) folder=release ;; esac
    printf '%s/%s' "$(target_dir)" "$folder"
}

LOCKED=''
[ ! -f Cargo.lock ] || LOCKED=--locked

build() { # PROFILE
    local service
    if [ -n "${PLATFORM_BIN_DIR:-}" ]; then # built already, as by `cargo test`
        BIN_DIR=$PLATFORM_BIN_DIR
        return 0
    fi
    ensure compiler
    ensure_cargo
    say "building the four services (profile $1)"
    run_child cargo build --profile "$1" ${LOCKED:+"$LOCKED"} --bins || die "the build failed"
    BIN_DIR=$(bin_dir "$1")
    for service in $SERVICES; do [ -x "$BIN_DIR/$service" ] || die "the build left no program $BIN_DIR/$service"; done
}
