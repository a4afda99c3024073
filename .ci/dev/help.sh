# shellcheck shell=bash
# What there is to run, and refusing what there is not.

COMMANDS="start stop restart status logs sync demo test bench conformance openapi lint-openapi lint-page screenshots sqlx reset setup help"

HELP="  start            build and start everything that is not running yet, and wait until it is ready
  stop [SERVICE]   stop the services, and the private PostgreSQL and Redis if there are any; or stop one service
  restart [SERVICE]
                   build, then stop and start the services, or one
  status           each service's health, port and pid; exit code 3 when one is not ready
  logs [NAME]      follow all logs, or one: $BACKENDS
                   api-gateway postgres redis
  sync [PAGES]     fill the catalogue through the gateway: from TMDB with a key, otherwise the sample
  sync --pages N [--year Y | --years A..B] [--genres G] [--language L]
                   choose what is fetched, up to 500 pages of each year; a progress bar follows it and Ctrl-C cancels it
  demo             three users with different preferences: what is recommended to them, before and after five likes each
  test [ARGS]      all tests, with private servers of their own; ARGS go to cargo test
  bench [platform] the benchmark of the whole platform, on a production build and private servers of its own
  bench gateway    the gateway beside nginx, and Envoy where it can be had, on a production build
  bench recommendations [MOVIES]
                   recommendations through the gateway over a large catalogue, by default of 1000000 movies
  bench catalogue [SIZES]
                   the benchmark of a large catalogue, by default of 10000, 100000 and 1000000 movies
  conformance      the conformance suite of gateways against this one
  conformance nginx|haproxy
                   a check of the suite: it must find in Debian's nginx or HAProxy what is known of them
  conformance HOST:PORT UPSTREAM_PORT
                   the suite against a gateway that forwards to that port of this machine
  openapi          write output/swagger/*.yaml from the code
  lint-openapi     check these files by Redocly's and Spectral's rules, and compile a client generated from them
  lint-page        check that the web page's modules can be read, and that its third-party files are those of npm
  screenshots      write output/screenshots/*.png, pictures of the running platform's web page
  sqlx [--check]   write <service>/.sqlx, by which sqlx's macros are checked without a database; or only say what is out of date
  reset [--yes]    stop everything and delete the platform's data, after a question
  setup            only install what the others need
  help             this list; COMMAND --help shows one command"

cmd_help() {
    cat <<TEXT
Usage: $NAME COMMAND

$HELP

Environment: API_GATEWAY_PORT MOVIE_SERVICE_PORT USER_PREFERENCE_SERVICE_PORT RECOMMENDATION_SERVICE_PORT (8080 to 8083),
DEV_DIR (.dev), BUILD_PROFILE (start), NO_COLOR, and everything the services read; see .env.example.
TEXT
}

# The lines about one command.
help_of() { # COMMAND
    printf 'Usage: %s %s\n\n' "$NAME" "$1"
    printf '%s\n' "$HELP" | awk -v command="$1" '/^  [^ ]/ { shown = $1 == command } shown'
}

wants_help() { # COMMAND ARGUMENTS...
    local command=$1 word
    shift
    case $command in test | bench) set -- "${1:-}" ;; esac
    for word in "$@"; do
        case $word in -h | --help) return 0 ;; esac
    done
    return 1
}

refuse_command() {
    cmd_help >&2
    die "there is no command '$1'"
}
no_arguments() { # COMMAND ARGUMENTS...
    [ $# -eq 1 ] || die "$1 takes no arguments, and so no '$2'; see: $NAME $1 --help"
}
one_of() { # COMMAND CHOICES ARGUMENTS...
    [ $# -le 3 ] || die "$1 takes one argument at most, and so no '$4'; see: $NAME $1 --help"
    [ $# -eq 2 ] || case " $2 " in
        *" $3 "*) ;;
        *) die "$1 does not take '$3', only: $2" ;;
    esac
}
