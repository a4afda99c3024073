#!/usr/bin/env bash
# Starts, stops and tests the whole platform: PostgreSQL, Redis and the four services. `./dev-services.sh help` lists the
# commands; each of them is a function cmd_NAME in .ci/dev/.
#
# Needs bash 3.2 or later (what macOS ships: no associative arrays, no mapfile), a Rust toolchain and a package manager.
set -euo pipefail

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd -P)
SELF=$ROOT/$(basename "${BASH_SOURCE[0]}")
NAME=./${SELF##*/} # as messages call it
cd "$ROOT"

BACKENDS="movie-service user-preference-service recommendation-service"
SERVICES="$BACKENDS api-gateway" # in the order of starting
READY_LIMIT=60                   # seconds for a service or server to become ready
DEV_DIR=${DEV_DIR:-.dev}
case $DEV_DIR in /*) ;; *) DEV_DIR=$ROOT/$DEV_DIR ;; esac
BUILD_PROFILE=${BUILD_PROFILE:-start}

# libpq must see what is passed to it and nothing else.
unset PGSERVICE PGSERVICEFILE PGOPTIONS PGHOSTADDR PGPASSFILE PGDATABASE PGUSER PGHOST PGPORT PGSSLMODE PGSSLROOTCERT
# Everything here is local, or addressed directly: no proxy in between.
export NO_PROXY="${NO_PROXY:+$NO_PROXY,}127.0.0.1,localhost"

# shellcheck source=.ci/dev/ui.sh
. .ci/dev/ui.sh
# shellcheck source=.ci/dev/process.sh
. .ci/dev/process.sh
# shellcheck source=.ci/dev/settings.sh
. .ci/dev/settings.sh
# shellcheck source=.ci/dev/network.sh
. .ci/dev/network.sh
# shellcheck source=.ci/dev/packages.sh
. .ci/dev/packages.sh
# shellcheck source=.ci/dev/cargo.sh
. .ci/dev/cargo.sh
# shellcheck source=.ci/dev/postgres.sh
. .ci/dev/postgres.sh
# shellcheck source=.ci/dev/private.sh
. .ci/dev/private.sh
# shellcheck source=.ci/dev/redis.sh
. .ci/dev/redis.sh
# shellcheck source=.ci/dev/services.sh
. .ci/dev/services.sh
# shellcheck source=.ci/dev/status.sh
. .ci/dev/status.sh
# shellcheck source=.ci/dev/commands.sh
. .ci/dev/commands.sh
# shellcheck source=.ci/dev/reset.sh
. .ci/dev/reset.sh
# shellcheck source=.ci/dev/demo.sh
. .ci/dev/demo.sh
# shellcheck source=.ci/dev/openapi.sh
. .ci/dev/openapi.sh
# shellcheck source=.ci/dev/sqlx.sh
. .ci/dev/sqlx.sh
# shellcheck source=.ci/dev/page.sh
. .ci/dev/page.sh
# shellcheck source=.ci/dev/testing.sh
. .ci/dev/testing.sh
# shellcheck source=.ci/dev/conformance.sh
. .ci/dev/conformance.sh
# shellcheck source=.ci/dev/help.sh
. .ci/dev/help.sh

main() {
    local command=${1:-help}
    [ $# -eq 0 ] || shift
    case $command in -h | --help) command=help ;; esac
    case " $COMMANDS " in *" $command "*) ;; *) refuse_command "$command" ;; esac
    # Behind the first argument, `test` and `bench` may pass --help on.
    if wants_help "$command" "$@"; then
        help_of "$command"
        return 0
    fi
    case $command in
        start | status | demo | openapi | lint-openapi | lint-page | screenshots | setup | help) no_arguments "$command" "$@" ;;
        stop | restart) one_of "$command" "$SERVICES" "$@" ;;
        logs) one_of "$command" "$SERVICES postgres redis" "$@" ;;
        sqlx) one_of "$command" --check "$@" ;;
        reset) one_of "$command" --yes "$@" ;;
        sync | test | bench | conformance) ;; # the programs that they call know their arguments
    esac
    "cmd_${command//-/_}" "$@"
}

main "$@"
