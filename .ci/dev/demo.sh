# shellcheck shell=bash
# Three users with different preferences, made through the gateway. A second run finds them again.

cmd_demo() {
    local url id preferences
    ensure curl
    [ "$(health api-gateway)" = ready ] || die "the platform is not running; start it with: $NAME start"
    url=$(service_url api-gateway)/api/v1
    while IFS='|' read -r name preferences; do
        demo_user "$name" || exit 1
        id=$(dotenv_value "$DEV_DIR/demo" "$name")
        demo_call POST "$url/users/$id/preferences" "$preferences" >/dev/null || die "the preferences of $name could not be set"
        printf '\n%s%s%s (user %s) prefers %s\n' "$BOLD" "$name" "$PLAIN" "$id" "$preferences"
        demo_likes "$id"
    done <<'USERS'
demo_ada|{"preferred_genres":["Science Fiction","Adventure"],"preferred_language":"en","min_rating":7}
demo_ben|{"preferred_genres":["Comedy","Romance"],"preferred_language":"en","min_rating":6}
demo_cleo|{"preferred_genres":["Horror","Thriller"],"preferred_language":"en","min_rating":6}
USERS
    printf '\nWhat somebody likes, watches, rates or dislikes leaves the list at once, and moves the rest.\n'
    open_page "$(service_url api-gateway | sed 's/127\.0\.0\.1/localhost/')/#/together?users=$(demo_ids)"
}

# Makes the user, unless an earlier run has; $DEV_DIR/demo keeps the ids.
demo_user() { # NAME
    local id answer
    id=$(dotenv_value "$DEV_DIR/demo" "$1" || true)
    if [ -n "$id" ] && demo_call GET "$url/users/$id" 2>/dev/null | grep "\"username\": *\"$1\"" >/dev/null; then return 0; fi
    answer=$(demo_call POST "$url/users" "{\"username\":\"$1\",\"email\":\"$1@example.com\"}") ||
        die "the user $1 could not be made; when there is one of an earlier database: $NAME reset"
    id=$(printf '%s' "$answer" | sed -n 's/.*"id": *\([0-9]*\).*/\1/p')
    [ ! -f "$DEV_DIR/demo" ] || grep -v "^$1=" "$DEV_DIR/demo" >"$DEV_DIR/demo.new" || true
    printf '%s=%s\n' "$1" "$id" >>"$DEV_DIR/demo.new"
    mv "$DEV_DIR/demo.new" "$DEV_DIR/demo"
}

# The ids of all three, with commas between.
demo_ids() { sed -n 's/^demo_[a-z]*=//p' "$DEV_DIR/demo" | sort -n | paste -s -d , -; }

demo_call() { # METHOD URL [BODY]
    http --fail --max-time 30 -X "$1" -H 'Authorization: Bearer dev' ${3:+-H 'Content-Type: application/json' -d "$3"} "$2"
}

# Shows the list by preferences alone, likes its first five movies and marks the first as watched, and shows the list again.
# The first list does not know what an earlier run marked, so that each run says the same.
demo_likes() { # ID
    local before movie kind first=watched
    before=$(demo_call GET "$url/users/$1/recommendations?limit=10&include_seen=true&strategy=preferences_only") || die "there are no recommendations for user $1"
    printf '  before:\n'
    demo_list "$before"
    for movie in $(printf '%s' "$before" | grep -oE '"id": *[0-9]+' | grep -oE '[0-9]+' | head -n 5); do
        for kind in like $first; do
            demo_call POST "$url/users/$1/interactions" "{\"movie_id\":$movie,\"interaction_type\":\"$kind\"}" >/dev/null ||
                die "movie $movie could not be marked: $kind"
        done
        first=''
    done
    printf '  after five likes, the first of them watched:\n'
    demo_list "$(demo_call GET "$url/users/$1/recommendations?limit=10")"
}

demo_list() { # JSON
    local list
    list=$(paste -d '|' <(demo_texts title "$1") <(demo_texts reason "$1") | awk -F '|' 'NF > 1 { printf "    %2d. %-40s %s\n", NR, $1, $2 }')
    printf '%s\n' "${list:-    nothing: all that fits has been watched}"
}
demo_texts() { # FIELD JSON
    printf '%s' "$2" | grep -oE "\"$1\": *\"([^\"\\\\]|\\\\.)*\"" | sed -e "s/^\"$1\": *\"//" -e 's/"$//'
}

# Opens a page where there is a browser; without one, its address is enough.
open_page() { # URL
    printf '\n%-11s %s\n' Open "$1"
    [ -t 1 ] || return 0
    if [ "$(uname -s)" = Darwin ]; then
        open "$1" >/dev/null 2>&1 || true
    elif has xdg-open && [ -n "${DISPLAY:-}${WAYLAND_DISPLAY:-}" ]; then
        xdg-open "$1" >/dev/null 2>&1 || true
    fi
}
