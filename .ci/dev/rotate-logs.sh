#!/usr/bin/env bash
# Keeps the logs in a folder from growing without end: one that is larger than 16 MB becomes NAME.log.old and starts anew.
# The services append to their logs, so emptying a file is enough; lines written between copy and emptying are lost.
set -uo pipefail
while [ -d "$1" ]; do
    find "$1" -name '*.log' -size +32768 2>/dev/null | while IFS= read -r log; do # in blocks of 512 bytes
        cp "$log" "$log.old" && : >"$log"
    done
    sleep 5
done
