# shellcheck shell=bash
# What is said to the user, and asked.

BOLD='' GREEN='' YELLOW='' RED='' PLAIN=''
if [ -t 1 ] && [ -z "${NO_COLOR:-}" ] && [ "${TERM:-dumb}" != dumb ]; then
    BOLD=$'\033[1m' GREEN=$'\033[32m' YELLOW=$'\033[33m' RED=$'\033[31m' PLAIN=$'\033[0m'
fi

say() { printf '%s==>%s %s\n' "$BOLD" "$PLAIN" "$*"; }
warn() { printf '%snote:%s %s\n' "$YELLOW" "$PLAIN" "$*" >&2; }
die() {
    printf '%serror:%s %s\n' "$RED" "$PLAIN" "$*" >&2
    exit 1
}
has() { command -v "$1" >/dev/null 2>&1; }
short() { case $1 in "$ROOT"/*) printf '%s' "${1#"$ROOT"/}" ;; *) printf '%s' "$1" ;; esac; }

# Asks a yes-no question; no without a terminal.
confirm() {
    local answer=''
    [ -t 0 ] || return 1
    printf '%s [y/N] ' "$1"
    read -r answer || true
    case $answer in y | Y | yes | Yes) return 0 ;; *) return 1 ;; esac
}
