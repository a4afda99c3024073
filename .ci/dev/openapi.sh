# shellcheck shell=bash
# The specifications in output/swagger: writing them from the code, and checking them as those who use them would.

# The gateway's page lists all services' operations, and takes them from the files at compile time: so it comes last.
cmd_openapi() {
    local service
    ensure compiler
    ensure_cargo
    mkdir -p output/swagger api-gateway/openapi
    for service in $SERVICES; do
        say "output/swagger/$service.yaml"
        write_if_changed "output/swagger/$service.yaml" cargo run -q ${LOCKED:+"$LOCKED"} -p "$service" -- openapi
        [ "$service" = api-gateway ] || write_if_changed "api-gateway/openapi/$service.yaml" cat "output/swagger/$service.yaml"
    done
}

# An unchanged file keeps its time, and so the gateway's build.
write_if_changed() { # FILE COMMAND...
    local file=$1
    shift
    "$@" >"$file.new" </dev/null || { rm -f "$file.new" && die "$* failed"; }
    if cmp -s "$file.new" "$file"; then rm -f "$file.new"; else mv "$file.new" "$file"; fi
}

# Redocly's and Spectral's recommended rules on each specification (a warning is a fault too), and a client of all four that is
# generated and compiled.
cmd_lint_openapi() {
    local service bin client failed=''
    # shellcheck disable=SC2086
    ensure_node_tools $OPENAPI_TOOLS
    bin=$DEV_DIR/tools/node_modules/.bin client=$DEV_DIR/tools/client
    rm -rf "$client"
    mkdir -p "$client"
    cp .ci/openapi/client.ts .ci/openapi/tsconfig.json "$client/"
    export REDOCLY_TELEMETRY=off REDOCLY_SUPPRESS_UPDATE_NOTICE=true
    for service in $SERVICES; do
        say "output/swagger/$service.yaml"
        run_child "$bin/redocly" lint "output/swagger/$service.yaml" --config .ci/openapi/redocly.yaml --format=stylish ||
            failed="$failed redocly:$service"
        run_child "$bin/spectral" lint "output/swagger/$service.yaml" --ruleset .ci/openapi/spectral.yaml --fail-severity=warn ||
            failed="$failed spectral:$service"
        run_child "$bin/openapi-typescript" "output/swagger/$service.yaml" -o "$client/$service.d.ts" ||
            failed="$failed openapi-typescript:$service"
    done
    say 'compiling a generated client'
    run_child "$bin/tsc" -p "$client" || failed="$failed tsc"
    [ -z "$failed" ] || die "the specifications have faults, found by:$failed"
    say "the specifications have no fault"
}
