#!/usr/bin/env bash
#
# Every operation of the Movie Discovery Platform, through its gateway, with curl.
#
#   ./sample-requests.sh
#   BASE_URL=http://127.0.0.1:9000 TOKEN=anything ./sample-requests.sh
#
# Prints each request as one could type it, its status and its answer, and checks that the
# answer is the expected one. Ends with a summary; the exit code is 1 when anything differed.
# Users get new names in each run, and the movies it makes are deleted again, so it can be run
# again and again on the same database.
#
# Needs curl. Answers are indented where jq or python3 is installed, and printed as they are
# elsewhere. BODY_LINES (40) limits how many lines of an answer are shown.

set -u

BASE_URL=${BASE_URL:-http://localhost:8080}
BASE_URL=${BASE_URL%/}
TOKEN=${TOKEN:-dev-token}
BODY_LINES=${BODY_LINES:-40}

# An id that is valid and that nothing has.
NO_SUCH_ID=2147483647
JSON='Content-Type: application/json'

if [ -t 1 ] && [ -z "${NO_COLOR:-}" ]; then
    bold=$'\033[1m' dim=$'\033[2m' red=$'\033[31m' green=$'\033[32m' plain=$'\033[0m'
else
    bold='' dim='' red='' green='' plain=''
fi

if ! command -v curl >/dev/null 2>&1; then
    echo "curl is needed: install it first." >&2
    exit 1
fi

# On macOS without developer tools, python3 is a stand-in that opens an installer.
if command -v jq >/dev/null 2>&1; then
    formatter=jq
elif [ "$(uname -s)" != Darwin ] && command -v python3 >/dev/null 2>&1; then
    formatter=python3
else
    formatter=none
fi

work=$(mktemp -d "${TMPDIR:-/tmp}/sample-requests.XXXXXX") || exit 1
trap 'clean_up' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
body=$work/body
headers=$work/headers
# Ids of the movies made here, for the case that the run is cut off before it deletes them.
created=$work/created

clean_up() {
    local id
    if [ -s "$created" ]; then
        while read -r id; do
            fetch -X DELETE -H "Authorization: Bearer $TOKEN" "$BASE_URL/api/v1/movies/$id"
        done <"$created"
    fi
    rm -rf "$work"
}

requests=0
passed=0
failures=0
section=''
title=''
status=000
# Seconds one request may take. A sync from TMDB takes longer than the rest.
max_time=15

# ---------------------------------------------------------------- printing

section() {
    section=$1
    printf '\n%s=== %s ===%s\n' "$bold" "$1" "$plain"
}

# A word as it has to be typed in a shell.
escape_quotes="s/'/'\\\\''/g"
quoted() {
    case $1 in
        '' | *[!A-Za-z0-9_./:=-]*) printf "'%s'" "$(printf '%s' "$1" | sed "$escape_quotes")" ;;
        *) printf '%s' "$1" ;;
    esac
}

show_command() {
    local word
    printf '%s$ curl' "$dim"
    for word in "$@"; do
        printf ' '
        quoted "$word"
    done
    printf '%s\n' "$plain"
}

formatted() {
    case $(head -c 1 "$body") in
        '{' | '[')
            case $formatter in
                jq) jq . "$body" 2>/dev/null && return ;;
                python3) python3 -m json.tool --no-ensure-ascii "$body" 2>/dev/null && return ;;
            esac
            ;;
    esac
    cat "$body"
}

show_body() {
    local count
    [ -s "$body" ] || return 0
    formatted | tr -d '\r' >"$work/shown"
    # The answer may end without a line break.
    count=$(awk 'END { print NR }' "$work/shown")
    awk -v last="$BODY_LINES" 'NR <= last' "$work/shown"
    if [ "$count" -gt "$BODY_LINES" ]; then
        printf '%s... %s more lines%s\n' "$dim" "$((count - BODY_LINES))" "$plain"
    fi
}

# ---------------------------------------------------------------- checking

failed() {
    failures=$((failures + 1))
    printf '%sFAILED: %s%s\n' "$red" "$1" "$plain"
    printf '  %s / %s: %s\n' "$section" "$title" "$1" >>"$work/failures"
}

# The answer contains the text, in its body.
expect_text() {
    grep -F -- "$1" "$body" >/dev/null 2>&1 || failed "the answer does not say: $1"
}

# The answer has, or has not, an object with this id.
has_id() {
    grep -E "\"id\" *: *$1[,}]" "$body" >/dev/null 2>&1
}

expect_id() {
    has_id "$1" || failed "id $1 is not in the answer"
}

expect_no_id() {
    if has_id "$1"; then
        failed "id $1 is in the answer"
    fi
}

# The answer has headers whose names match; they are shown.
expect_headers() {
    tr -d '\r' <"$headers" | grep -i -E "^($1):" || failed "no header $1"
}

# The value of a header.
header_of() {
    tr -d '\r' <"$headers" | grep -i "^$1:" | head -n 1 | sed 's/^[^:]*: *//'
}

# The first number, or text, of that name in the answer.
number_of() {
    grep -o "\"$1\" *: *[0-9][0-9]*" "$body" | head -n 1 | grep -o '[0-9]*$'
}

text_of() {
    grep -o "\"$1\" *: *\"[^\"]*\"" "$body" | head -n 1 | sed 's/.*: *"\(.*\)"$/\1/'
}

# The id of the list at that place in the answer, from 1.
list_id() {
    grep -o '"recommendation_id" *: *"[^"]*"' "$body" | sed -n "$1s/.*\"\([^\"]*\)\"\$/\1/p"
}

first_genre() {
    grep -o '"genres" *: *\[ *"[^"]*"' "$body" | head -n 1 | sed 's/.*"\([^"]*\)"$/\1/'
}

# ---------------------------------------------------------------- sending

# One request, without a word; sets status, and fills the files of body and headers.
fetch() {
    : >"$body"
    : >"$headers"
    status=$(curl --silent --show-error --max-time "$max_time" \
        --output "$body" --dump-header "$headers" --write-out '%{http_code}' "$@" 2>"$work/curl-error") || status=000
}

# send STATUS TITLE PATH [CURL OPTION...]: one request without a token. Where the moment decides,
# several statuses may be expected: 202|409.
send() {
    local expected=$1 path=$3 seconds
    title=$2
    shift 3
    requests=$((requests + 1))
    printf '\n%s%s%s\n' "$bold" "$title" "$plain"
    show_command "$@" "$BASE_URL$path"
    fetch "$@" "$BASE_URL$path"
    if [ "$status" = 429 ] && [ "$expected" != 429 ]; then
        seconds=$(tr -d '\r' <"$headers" | sed -n 's/^[Rr]etry-[Aa]fter: *\([0-9][0-9]*\)$/\1/p' | head -n 1)
        echo "The rate limit is reached; trying again in ${seconds:-60} seconds."
        sleep "${seconds:-60}"
        fetch "$@" "$BASE_URL$path"
    fi
    if [[ "|$expected|" == *"|$status|"* ]]; then
        passed=$((passed + 1))
        printf '%sHTTP %s%s\n' "$green" "$status" "$plain"
    elif [ "$status" = 000 ]; then
        failed "no answer: $(cat "$work/curl-error")"
    else
        failed "HTTP $status instead of ${expected//|/ or }"
    fi
    show_body
}

# request STATUS TITLE PATH [CURL OPTION...]: one request with the token.
request() {
    local expected=$1 name=$2 path=$3
    shift 3
    send "$expected" "$name" "$path" -H "Authorization: Bearer $TOKEN" "$@"
}

# post STATUS TITLE PATH JSON
post() {
    request "$1" "$2" "$3" -H "$JSON" -d "$4"
}

# put or patch STATUS TITLE PATH JSON [CURL OPTION...]
put() {
    replace_or_change PUT "$@"
}

patch() {
    replace_or_change PATCH "$@"
}

replace_or_change() {
    local method=$1 expected=$2 name=$3 path=$4 json=$5
    shift 5
    request "$expected" "$name" "$path" -X "$method" -H "$JSON" "$@" -d "$json"
}

# Waits until the job has ended, at most two minutes.
wait_for_job() {
    local look
    for look in {1..120}; do
        fetch -H "Authorization: Bearer $TOKEN" "$BASE_URL/api/v1/admin/sync/jobs/$1"
        case $(text_of state) in completed | failed | cancelled) return ;; esac
        [ "$look" = 1 ] && printf '\nWaiting for job %s to end.\n' "$1"
        sleep 1
    done
}

# Waits for a job that someone else started: there is only one at a time.
wait_for_other_jobs() {
    fetch -H "Authorization: Bearer $TOKEN" "$BASE_URL/api/v1/admin/sync/jobs?limit=1"
    [ "$(text_of state)" = running ] && wait_for_job "$(number_of id)"
}

# The recommendation service sees a new catalogue within five seconds.
wait_for_catalogue() {
    local attempt
    for attempt in 1 2 3 4 5 6; do
        fetch -H "Authorization: Bearer $TOKEN" "$BASE_URL/api/v1/users/$1/recommendations?limit=1"
        grep '"score"' "$body" >/dev/null 2>&1 && return
        [ "$attempt" = 1 ] && printf '\nWaiting for the catalogue to reach the recommendation service.\n'
        sleep 1
    done
}

# ---------------------------------------------------------------- the requests

echo "Movie Discovery Platform at $BASE_URL"

section "Gateway (no token needed)"
send 200 "Health" /health
if [ "$status" = 000 ]; then
    printf '\nNothing answers at %s. Start the platform with ./dev-services.sh start, or set BASE_URL.\n' "$BASE_URL" >&2
    exit 1
fi
send 200 "Health, API path" /api/v1/health
send 200 "Readiness" /ready
send 200 "Readiness, API path" /api/v1/ready
send 200 "Liveness, where orchestrators look" /health/live
send 200 "Readiness, each dependency with its latency" /health/ready
request 200 "Every service with what it works with" /api/v1/status
lines=$BODY_LINES
BODY_LINES=8
send 200 "Swagger UI (open it in a browser)" /swagger/
send 200 "OpenAPI document" /swagger/doc.yaml
expect_text openapi
BODY_LINES=$lines
send 204 "CORS preflight" /api/v1/movies -X OPTIONS \
    -H 'Origin: https://app.example.com' -H 'Access-Control-Request-Method: GET'
expect_headers 'access-control-allow-origin'

section "Movies"
max_time=130
request 200 "Fill the catalogue (from TMDB, or the sample without a TMDB key)" '/api/v1/admin/sync?pages=5' -X POST
expect_text 'sync completed'
max_time=15
request 200 "The two most popular movies" '/api/v1/movies?page_size=2'
movie_id=$(number_of id)
movie_id=${movie_id:-1}
release_date=$(text_of release_date)
release_date=${release_date:-2024-01-01}
request 200 "The next two" '/api/v1/movies?page=2&page_size=2'
expect_no_id "$movie_id"
request 200 "The newest" '/api/v1/movies?sort_by=release_date&order=desc&page_size=2'
request 200 "The first by title" '/api/v1/movies?sort_by=title&order=asc&page_size=2'
request 200 "Released on one day (both ends count)" \
    "/api/v1/movies?release_date_from=$release_date&release_date_to=$release_date&page_size=2"
request 200 "A page past the end is empty" '/api/v1/movies?page=100000'
request 400 "A date that does not exist" '/api/v1/movies?release_date_from=2024-13-45'
expect_text release_date_from
request 200 "Page by page with a cursor: the first page" '/api/v1/movies?sort_by=title&order=asc&page_size=2'
first_id=$(number_of id)
cursor=$(text_of next_cursor)
request 200 "And the one after it" "/api/v1/movies?sort_by=title&order=asc&page_size=2&cursor=$cursor"
expect_no_id "${first_id:-1}"
request 400 "The cursor of another query" "/api/v1/movies?sort_by=popularity&page_size=2&cursor=$cursor"
expect_text invalid_cursor
request 200 "Further fields in the rows" '/api/v1/movies?include=genres,language,tmdb_id&page_size=1'
expect_text '"genres"'
request 400 "A field that does not exist" '/api/v1/movies?include=colour'
expect_text 'invalid include, expected'
request 200 "How many movies of each genre, language and year" '/api/v1/movies?facets=genres,language,year&vote_average_gte=8&page_size=1'
expect_text '"facets"'
request 200 "All genres with the number of their movies" /api/v1/genres
genre_id=$(number_of id)
genre_id=${genre_id:-1}
genre_name=$(text_of name)
genre_name=${genre_name:-Drama}
request 304 "The genres, unless they have changed" /api/v1/genres -H "If-None-Match: $(header_of etag)"
request 400 "A genre that does not exist" '/api/v1/movies?with_genres=Nonsense'
expect_text 'unknown genre in with_genres, known are:'
request 200 "Well rated comedies in French" '/api/v1/movies?with_genres=Comedy&with_original_language=fr&vote_average_gte=7'
request 200 "A search with typos" '/api/v1/movies?q=shawshenk%20redemtion'
request 200 "Movie details" "/api/v1/movies/$movie_id"
expect_id "$movie_id"
request 200 "Only the headers of that" "/api/v1/movies/$movie_id" --head
expect_headers 'etag|cache-control'
request 304 "The movie, unless it has changed" "/api/v1/movies/$movie_id" -H "If-None-Match: $(header_of etag)"
request 400 "An id that is not a number" /api/v1/movies/abc
expect_text 'invalid movie ID'
request 404 "A movie that does not exist" "/api/v1/movies/$NO_SUCH_ID"
expect_text 'movie not found'
request 200 "Movies like it, and why" "/api/v1/movies/$movie_id/similar?limit=3"
expect_text '"why"'
expect_no_id "$movie_id"
request 400 "More of them than there may be" "/api/v1/movies/$movie_id/similar?limit=51"
expect_text 'invalid limit, expected'
request 404 "Movies like one that does not exist" "/api/v1/movies/$NO_SUCH_ID/similar"
expect_text 'movie not found'
request 200 "A movie by chance" '/api/v1/movies/random?vote_average_gte=7'
expect_headers 'cache-control'
request 404 "By chance from none" '/api/v1/movies/random?ids=999999999'
expect_text 'no movie matches'
request 400 "A TMDB id that is not a number" /api/v1/movies/tmdb/abc
expect_text 'invalid TMDB ID'
request 404 "A TMDB id that no movie has" "/api/v1/movies/tmdb/$NO_SUCH_ID"
expect_text 'movie not found'

section "Managing movies"
# No movie of TMDB has an id as high as this.
tmdb_id=$((2000000000 + $(date +%s) % 100000000 + $$ % 1000))
post 201 "Create a movie; genres by name or id" /api/v1/movies "{\"title\":\"The Example\",\"overview\":\"A film that nobody made.\",
\"release_date\":\"1931-05-11\",\"genres\":[\"$genre_name\"],\"language\":\"de\",\"duration\":99,\"tmdb_id\":$tmdb_id}"
expect_headers 'location|etag'
new_id=$(number_of id)
new_id=${new_id:-$NO_SUCH_ID}
echo "$new_id" >>"$created"
tag=$(header_of etag)
post 409 "The TMDB id is taken" /api/v1/movies "{\"title\":\"Another Example\",\"tmdb_id\":$tmdb_id}"
expect_text tmdb_id_exists
post 400 "The title is missing" /api/v1/movies '{"overview":"Untitled."}'
expect_text '"field":"title"'
post 400 "A value out of range" /api/v1/movies '{"title":"The Example","vote_average":11}'
expect_text '"field":"vote_average"'
post 400 "A genre that does not exist" /api/v1/movies '{"title":"The Example","genres":["Nonsense"]}'
expect_text 'unknown genre in genres, known are:'
post 400 "The body is not JSON" /api/v1/movies 'title=Example'
expect_text 'invalid request body'
request 200 "Get it by its TMDB id" "/api/v1/movies/tmdb/$tmdb_id"
expect_id "$new_id"
patch 200 "Change some fields; null resets one" "/api/v1/movies/$new_id" \
    "{\"overview\":\"A film that somebody made.\",\"duration\":null,\"genres\":[$genre_id]}" -H "If-Match: $tag"
expect_text 'somebody'
patch 412 "Change a movie that has changed meanwhile" "/api/v1/movies/$new_id" '{"overview":"Mine!"}' -H "If-Match: $tag"
expect_text 'the movie has changed'
put 200 "Replace it, and let a sync overwrite every field" "/api/v1/movies/$new_id" \
    "{\"title\":\"The Example Returns\",\"tmdb_id\":$tmdb_id,\"locked_fields\":[]}"
expect_text '"locked_fields":[]'
patch 200 "Change one field: a sync leaves it alone from now on" "/api/v1/movies/$new_id" '{"overview":"By hand."}'
expect_text '"locked_fields":["overview"]'
request 200 "It is in the list at once" "/api/v1/movies?ids=$new_id&include=overview"
expect_text 'By hand.'
put 400 "Replace it without a title" "/api/v1/movies/$new_id" '{}'
expect_text '"field":"title"'
patch 404 "Change a movie that does not exist" "/api/v1/movies/$NO_SUCH_ID" '{"overview":"Nothing."}'
expect_text 'movie not found'
request 200 "Many at once, one a line: good lines are stored though others fail" /api/v1/movies/bulk \
    -H 'Content-Type: application/x-ndjson' --data-binary '{"title":"The First Example","genres":["Drama"]}
{"title":""}
{"title":"The Second Example","release_date":"1932-01-01"}'
expect_text '"stored":2,"failed":1'
grep -o '"id":[0-9]*' "$body" | grep -o '[0-9]*$' >>"$created"
while read -r id; do
    request 204 "Delete a movie" "/api/v1/movies/$id" -X DELETE
done <"$created"
: >"$created"
request 404 "It is gone" "/api/v1/movies/$new_id" -X DELETE
expect_text 'movie not found'

section "Sync jobs"
wait_for_other_jobs
request 202 "Start a sync and do not wait for it" '/api/v1/admin/sync?mode=async&pages=2&years=2023..2024' -X POST
expect_headers location
job_id=$(number_of id)
job_id=${job_id:-$NO_SUCH_ID}
request '202|409' "Only one at a time, unless that one has ended already" '/api/v1/admin/sync?mode=async&pages=1' -X POST
[ "$status" = 202 ] && wait_for_job "$(number_of id)"
wait_for_job "$job_id"
request 200 "The job" "/api/v1/admin/sync/jobs/$job_id"
expect_text '"state":"completed"'
request 200 "The newest jobs" '/api/v1/admin/sync/jobs?limit=2'
request 200 "Its events: of a job that has ended, its end" "/api/v1/admin/sync/jobs/$job_id/events" --no-buffer
expect_text 'event: end'
request 409 "Cancel a job that has ended" "/api/v1/admin/sync/jobs/$job_id" -X DELETE
expect_text 'the job has ended'
request 202 "Start another" '/api/v1/admin/sync?mode=async&pages=5' -X POST
job_id=$(number_of id)
job_id=${job_id:-$NO_SUCH_ID}
request '202|409' "Cancel it, unless it has ended already" "/api/v1/admin/sync/jobs/$job_id" -X DELETE
wait_for_job "$job_id"
request 400 "A mode that does not exist" '/api/v1/admin/sync?mode=later' -X POST
expect_text 'invalid mode, expected'
request 400 "Years in the wrong order" '/api/v1/admin/sync?mode=async&years=2025..1990' -X POST
expect_text years
request 400 "A job id that is not a number" /api/v1/admin/sync/jobs/abc
expect_text 'invalid job ID'
request 404 "A job that does not exist" "/api/v1/admin/sync/jobs/$NO_SUCH_ID"
expect_text 'job not found'

section "Users"
name="alice_$(date +%s)_$$"
post 201 "Create a user" /api/v1/users "{\"username\":\"$name\",\"email\":\"$name@example.com\"}"
user_id=$(number_of id)
user_id=${user_id:-$NO_SUCH_ID}
post 409 "The username is taken" /api/v1/users "{\"username\":\"$name\",\"email\":\"other_$name@example.com\"}"
expect_text 'username already exists'
post 409 "The email is taken" /api/v1/users "{\"username\":\"other_$name\",\"email\":\"$name@example.com\"}"
expect_text 'email already exists'
post 400 "The email is missing" /api/v1/users "{\"username\":\"other_$name\"}"
expect_text 'username and email are required'
post 400 "The body is not JSON" /api/v1/users 'username=alice'
expect_text 'invalid request body'
request 200 "Get the user" "/api/v1/users/$user_id"
expect_text "$name"
request 400 "An id that is not a number" /api/v1/users/abc
expect_text 'invalid user ID'
request 404 "A user who does not exist" "/api/v1/users/$NO_SUCH_ID"
expect_text 'user not found'

section "Preferences"
request 200 "Preferences of a user who set none" "/api/v1/users/$user_id/preferences"
post 200 "Set preferences" "/api/v1/users/$user_id/preferences" \
    '{"preferred_genres":["Drama","Comedy"],"preferred_language":"fr","min_rating":7.5}'
request 200 "Get them" "/api/v1/users/$user_id/preferences"
expect_text 7.5
post 400 "A rating out of range" "/api/v1/users/$user_id/preferences" '{"min_rating":11}'
expect_text min_rating
post 404 "A user who does not exist" "/api/v1/users/$NO_SUCH_ID/preferences" '{"preferred_genres":["Drama"]}'
expect_text 'user not found'

section "Interactions"
post 201 "Rate a movie, with the time when it was seen" "/api/v1/users/$user_id/interactions" \
    "{\"movie_id\":$movie_id,\"interaction_type\":\"rating\",\"value\":8.5,\"occurred_at\":\"2024-02-29T20:15:00Z\"}"
expect_text 8.5
for kind in like dislike watchlist abandoned watched; do
    post 201 "Add an interaction: $kind" "/api/v1/users/$user_id/interactions" \
        "{\"movie_id\":$movie_id,\"interaction_type\":\"$kind\"}"
done
request 200 "The two newest" "/api/v1/users/$user_id/interactions?limit=2"
expect_text watched
post 400 "A type that does not exist" "/api/v1/users/$user_id/interactions" \
    "{\"movie_id\":$movie_id,\"interaction_type\":\"love\"}"
expect_text 'invalid interaction type: love'
post 400 "A rating without a value" "/api/v1/users/$user_id/interactions" \
    "{\"movie_id\":$movie_id,\"interaction_type\":\"rating\"}"
expect_text '"field":"value"'
post 400 "A movie id that is not above 0" "/api/v1/users/$user_id/interactions" '{"movie_id":0,"interaction_type":"like"}'
expect_text 'invalid movie ID'
post 404 "A user who does not exist" "/api/v1/users/$NO_SUCH_ID/interactions" \
    "{\"movie_id\":$movie_id,\"interaction_type\":\"like\"}"
expect_text 'user not found'

section "Recommendations"
request 200 "The scoring rules" /api/v1/rules
expect_text 'Popularity Score'
# Inactive, so that the platform recommends as before.
post 201 "Create a rule that is not active" /api/v1/rules \
    "{\"name\":\"Well Rated $name\",\"weight\":0.5,\"rule_type\":\"rating\",\"is_active\":false,\"variant\":\"sample\"}"
expect_headers location
rule_id=$(number_of id)
rule_id=${rule_id:-$NO_SUCH_ID}
post 409 "The name is taken" /api/v1/rules \
    "{\"name\":\"Well Rated $name\",\"weight\":1,\"rule_type\":\"affinity\",\"variant\":\"sample\"}"
expect_text rule_name_exists
post 409 "A second active rule of a type" /api/v1/rules \
    "{\"name\":\"More popular $name\",\"weight\":1,\"rule_type\":\"popularity\"}"
expect_text rule_exists
post 400 "A type that nobody knows" /api/v1/rules '{"name":"Tides","weight":1,"rule_type":"phase_of_the_moon"}'
expect_text '"field":"rule_type"'
patch 200 "Change its weight" "/api/v1/rules/$rule_id" '{"weight":0.25}'
expect_text '"weight":0.25'
patch 400 "A weight out of range" "/api/v1/rules/$rule_id" '{"weight":11}'
expect_text '"field":"weight"'
put 200 "Replace it" "/api/v1/rules/$rule_id" \
    "{\"name\":\"Rated $name\",\"weight\":1,\"rule_type\":\"rating\",\"is_active\":false,\"variant\":\"sample\"}"
request 200 "The rule" "/api/v1/rules/$rule_id"
expect_id "$rule_id"
request 200 "All rules, also those that are not active" '/api/v1/rules?all=true'
expect_text '"is_active":false'
request 204 "Delete it" "/api/v1/rules/$rule_id" -X DELETE
request 200 "What it was" "/api/v1/rules/$rule_id/history?limit=2"
expect_text '"action":"deleted"'
request 404 "A rule that is gone" "/api/v1/rules/$rule_id"
expect_text 'rule not found'
request 400 "A rule id that is not a number" /api/v1/rules/abc
expect_text 'invalid rule ID'
request 202 "Train the collaborative model" /api/v1/models/train -X POST
expect_headers location
training_id=$(number_of id)
training_id=${training_id:-$NO_SUCH_ID}
request 200 "How far the training is" "/api/v1/models/train/$training_id"
expect_id "$training_id"
request 200 "The collaborative models" /api/v1/models
expect_text '"models":['
request 404 "A training that does not exist" "/api/v1/models/train/$NO_SUCH_ID"
expect_text 'training not found'
post 201 "A rule of another set" /api/v1/rules \
    "{\"name\":\"Newer $name\",\"weight\":1,\"rule_type\":\"recency\",\"variant\":\"sample_$name\"}"
rule_id=$(number_of id)
rule_id=${rule_id:-$NO_SUCH_ID}
# A share of 0: nobody's lists change.
put 200 "Begin an experiment with two sets of rules" /api/v1/experiments \
    "{\"experiment\":{\"name\":\"sample\",\"control\":\"\",\"treatment\":\"sample_$name\",\"share\":0}}"
expect_text '"started_at"'
put 400 "A share out of range" /api/v1/experiments \
    "{\"experiment\":{\"name\":\"sample\",\"treatment\":\"sample_$name\",\"share\":1.5}}"
expect_text 'experiment.share'
request 200 "The experiment" /api/v1/experiments
expect_text '"share":0'
put 200 "End it" /api/v1/experiments '{"experiment":null}'
expect_text null
request 204 "Delete the rule" "/api/v1/rules/$rule_id" -X DELETE
post 201 "Create a viewer of whom nothing is known" /api/v1/users \
    "{\"username\":\"viewer_$name\",\"email\":\"viewer_$name@example.com\"}"
viewer_id=$(number_of id)
viewer_id=${viewer_id:-$NO_SUCH_ID}
wait_for_catalogue "$viewer_id"
request 200 "Recommendations without preferences" "/api/v1/users/$viewer_id/recommendations?limit=3"
expect_text '"score"'
genre=$(first_genre)
genre=${genre:-Drama}
post 200 "Prefer a genre" "/api/v1/users/$viewer_id/preferences" "{\"preferred_genres\":[\"$genre\"]}"
request 200 "Recommendations follow the preference at once" "/api/v1/users/$viewer_id/recommendations?limit=3"
expect_text 'matches your preferred genres'
top_id=$(number_of id)
top_id=${top_id:-1}
post 201 "Watch the first one" "/api/v1/users/$viewer_id/interactions" \
    "{\"movie_id\":$top_id,\"interaction_type\":\"watched\"}"
request 200 "It is no longer recommended" "/api/v1/users/$viewer_id/recommendations?limit=3"
expect_no_id "$top_id"
request 200 "Unless one asks for it" "/api/v1/users/$viewer_id/recommendations?limit=3&include_seen=true"
expect_id "$top_id"
request 200 "The lists that were made for the viewer" "/api/v1/users/$viewer_id/recommendations/history?limit=2"
expect_text '"contributions"'
newer_list=$(list_id 1)
older_list=$(list_id 2)
request 200 "What changed from one to the other" \
    "/api/v1/users/$viewer_id/recommendations/history/diff?from=$older_list&to=$newer_list"
expect_text '"entered"'
request 400 "Two lists are needed" "/api/v1/users/$viewer_id/recommendations/history/diff?from=$older_list"
expect_text '"field":"to"'
request 200 "The newest list" "/api/v1/users/$viewer_id/recommendations/history?limit=1"
listed_id=$(number_of movie_id)
listed_id=${listed_id:-$NO_SUCH_ID}
events="/api/v1/recommendations/$newer_list/events"
post 200 "Its first movie was shown and opened" "$events" \
    "{\"user_id\":$viewer_id,\"events\":[{\"type\":\"impression\",\"movie_id\":$listed_id},{\"type\":\"click\",\"movie_id\":$listed_id}]}"
expect_text '"accepted"'
post 400 "A movie that is not in the list" "$events" "{\"events\":[{\"type\":\"play\",\"movie_id\":$NO_SUCH_ID}]}"
expect_text 'events[0].movie_id'
post 404 "A list of another user" "$events" \
    "{\"user_id\":$NO_SUCH_ID,\"events\":[{\"type\":\"play\",\"movie_id\":$listed_id}]}"
expect_text 'recommendation not found'
request 200 "Whether recommendations help" '/api/v1/recommendations/report?days=7'
expect_text '"click_through"'
request 400 "A user id that is not above 0" /api/v1/users/0/recommendations
expect_text 'invalid user ID'
request 404 "A user who does not exist" "/api/v1/users/$NO_SUCH_ID/recommendations"
expect_text 'user not found'

section "Authentication, limits and errors"
send 401 "No token" /api/v1/rules
expect_text 'missing Authorization header'
send 401 "Not a Bearer token" /api/v1/rules -H 'Authorization: Basic YWxpY2U6c2VjcmV0'
expect_text "invalid Authorization header format, expected 'Bearer <token>'"
send 401 "An empty token" /api/v1/rules -H 'Authorization: Bearer '
expect_text 'empty bearer token'
request 404 "A path that does not exist" /api/v1/nothing
expect_text 'Not Found'
request 405 "A method that the path does not have" /api/v1/rules -X DELETE
expect_text 'Method Not Allowed'
expect_headers allow
request 200 "How many requests are left" /api/v1/rules
expect_headers 'x-ratelimit-[a-z]*'

# ---------------------------------------------------------------- summary

section "Summary"
printf '%s requests, %s with the expected status, %s failed checks\n' "$requests" "$passed" "$failures"
if [ "$failures" -gt 0 ]; then
    printf '%s' "$red"
    cat "$work/failures"
    printf '%s' "$plain"
    exit 1
fi
printf '%sEverything answered as expected.%s\n' "$green" "$plain"
