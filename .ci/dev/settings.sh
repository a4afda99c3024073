# shellcheck shell=bash
# Settings: the process environment, then the service's .env, then the top .env, then the default.

# What the services read. Tests and benchmarks run without any of it, whatever the caller's shell has exported.
CONFIG_VARIABLES="SERVER_HOST SERVER_PORT METRICS_ADDR MOVIE_SERVICE_METRICS_URL USER_PREFERENCE_SERVICE_METRICS_URL
  RECOMMENDATION_SERVICE_METRICS_URL LOG_LEVEL LOG_FORMAT OTEL_EXPORTER_OTLP_ENDPOINT SHUTDOWN_DELAY_SECONDS SHUTDOWN_TIMEOUT_SECONDS REQUEST_TIMEOUT_SECONDS
  UPSTREAM_TIMEOUT_SECONDS UPSTREAM_CONNECT_TIMEOUT_MS HEADER_READ_TIMEOUT_SECONDS WRITE_TIMEOUT_SECONDS MAX_CONNECTIONS
  DB_HOST DB_PORT DB_USER DB_PASSWORD DB_NAME DB_SSLMODE DB_SSLROOTCERT DB_MAX_CONNECTIONS DB_ACQUIRE_TIMEOUT_MS
  DB_STATEMENT_TIMEOUT_MS REDIS_ADDR REDIS_PASSWORD REDIS_DB REDIS_TIMEOUT_MS TMDB_API_KEY TMDB_ACCESS_TOKEN TMDB_BASE_URL TMDB_CONNECT_TIMEOUT_MS TMDB_TIMEOUT_MS
  TMDB_MAX_REQUESTS_PER_SECOND TMDB_MAX_RETRIES TMDB_RUNTIME_CONCURRENCY MOVIE_SERVICE_URL USER_PREFERENCE_SERVICE_URL
  RECOMMENDATION_SERVICE_URL RATE_LIMIT_MAX RATE_LIMIT_WINDOW_SECONDS RATE_LIMIT_ADMIN_MAX RATE_LIMIT_WRITE_MAX
  AUTH_MODE APP_ENV JWT_JWKS_URL JWT_JWKS_FILE JWT_SECRET JWT_ISSUER
  JWT_AUDIENCE JWT_LEEWAY_SECONDS JWT_JWKS_REFRESH_SECONDS API_KEY_FILE RATE_LIMIT_BY RATE_LIMIT_ALGORITHM RATE_LIMIT_FALLBACK RATE_LIMIT_IPV6_PREFIX MAX_BODY_BYTES TRUSTED_PROXIES PEER_TIMEOUT_MS
  CATALOGUE_REFRESH_SECONDS API_GATEWAY_PORT MOVIE_SERVICE_PORT USER_PREFERENCE_SERVICE_PORT RECOMMENDATION_SERVICE_PORT
  BUILD_PROFILE"

# Prints a variable's value from a .env file: optional `export`, quotes, and a comment behind an unquoted value. Fails when the
# file does not name it. The first line that does counts.
dotenv_value() { # FILE NAME
    local line value
    [ -f "$1" ] || return 1
    while IFS= read -r line || [ -n "$line" ]; do
        line=${line%$'\r'}
        line=${line#"${line%%[![:space:]]*}"}
        line=${line#export }
        case $line in "$2"=* | "$2"[[:space:]]*=*) ;; *) continue ;; esac
        value=${line#*=}
        value=${value#"${value%%[![:space:]]*}"}
        case $value in
            \"*) value=${value#\"} value=${value%%\"*} ;;
            \'*) value=${value#\'} value=${value%%\'*} ;;
            \#*) value='' ;;
            *)
                value=${value%%[[:space:]]#*}
                value=${value%"${value##*[![:space:]]}"}
                ;;
        esac
        printf '%s' "$value"
        return 0
    done <"$1"
    return 1
}

# Prints the value that a service will see. The first source that names a variable counts, and empty there means the default: so
# `TMDB_API_KEY= ./dev-services.sh start` leaves out the key in .env.
conf() { # SERVICE NAME DEFAULT
    local value=''
    if [ -n "${!2+set}" ]; then
        value=${!2}
    elif [ -z "${DEV_IGNORE_DOTENV:-}" ]; then
        value=$(dotenv_value "$1/.env" "$2" || dotenv_value .env "$2" || true)
    fi
    printf '%s' "${value:-$3}"
}

upper() { printf '%s' "$1" | tr 'a-z-' 'A-Z_'; }

# The configured port: API_GATEWAY_PORT and its like, then SERVER_PORT in the service's own .env.
configured_port() { # SERVICE
    local port default
    case $1 in
        api-gateway) default=8080 ;;
        movie-service) default=8081 ;;
        user-preference-service) default=8082 ;;
        *) default=8083 ;;
    esac
    port=$(conf "$1" "$(upper "$1")_PORT" '')
    [ -n "$port" ] || [ -n "${DEV_IGNORE_DOTENV:-}" ] || port=$(dotenv_value "$1/.env" SERVER_PORT || true)
    port=${port:-$default}
    case $port in *[!0-9]* | ??????*) die "the port of $1 is '$port', which is not a number from 1 to 65535" ;; esac
    if [ "$port" -lt 1 ] || [ "$port" -gt 65535 ]; then die "the port of $1 is '$port', which is not a number from 1 to 65535"; fi
    printf '%s' "$port"
}

# The port a service has, when it runs, or will have.
service_port() {
    local file
    file=$(run_file "$DEV_DIR" "$1")
    if is_running "$file"; then run_get "$file" port; else configured_port "$1"; fi
}

# Where the service is reached from this machine.
service_url() {
    local host
    host=$(conf "$1" SERVER_HOST 127.0.0.1)
    case $host in 0.0.0.0 | :: | localhost) host=127.0.0.1 ;; *:*) host="[$host]" ;; esac
    printf 'http://%s:%s' "$host" "$(service_port "$1")"
}
