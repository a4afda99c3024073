# shellcheck shell=bash
# The web page: its tools, what it brings along from npm, and pictures of it.

# Where the tests of the page find their programs, and where their screenshots go.
use_page_tools() {
    PLAYWRIGHT_PROGRAM=$DEV_DIR/tools/node_modules/.bin/playwright CHROMIUM=$(find_chromium)
    export PLAYWRIGHT_PROGRAM CHROMIUM PAGE_OUTPUT=$DEV_DIR/page NODE_PATH=$DEV_DIR/tools/node_modules
}

# Third-party files are those of npm, and every module can be read.
cmd_lint_page() {
    local file failed=''
    ensure node
    mkdir -p "$DEV_DIR/page"
    run_child node .ci/page/vendor.cjs "$DEV_DIR/page/vendor" || failed=' vendor'
    while IFS= read -r file; do
        node --input-type=module --check <"$file" || failed="$failed $file"
    done < <(find api-gateway/web/app -name '*.js')
    [ -z "$failed" ] || die "the web page has faults, found by:$failed"
    say "the web page has no fault"
}

# Pictures of the running platform's page, for the README.
cmd_screenshots() {
    ensure curl node chromium
    [ "$(health api-gateway)" = ready ] || die "the platform is not running; start it with: $NAME start"
    # shellcheck disable=SC2086
    ensure_node_tools $PAGE_TOOLS
    use_page_tools
    mkdir -p output/screenshots
    run_child node api-gateway/tests/page/pictures.cjs "$(service_url api-gateway)" output/screenshots || die "the pictures were not taken"
}
