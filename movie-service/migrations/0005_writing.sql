-- Faster writes. The words of a title are computed two or three times for each row, and a function in SQL that cannot
-- be inlined is set up anew at each call: a sixth of the time of a load by the thousand.

-- As ever, for any title: bound to what it names when it is created.
CREATE FUNCTION movie_search_words_of_any(title TEXT) RETURNS TEXT LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE RETURN
    COALESCE(
        NULLIF(btrim(regexp_replace(
            lower(unaccent('unaccent'::regdictionary, normalize(title, NFKC)) COLLATE title_order) COLLATE "C",
            '[\s!-/:-@\[-`{-¿‐-⁞、-〜・]+', ' ', 'g')), ''),
        lower(title COLLATE title_order) COLLATE "C");

-- Most titles are ASCII: they have no accents or other forms to lose, and every collation has the same lower case for
-- them. The results stay the same, and so does the function that the column of the words names. A body in PL/pgSQL is
-- bound only when it runs, hence the schema before the one thing in it that is not PostgreSQL's own.
DO $do$
BEGIN
    EXECUTE format($create$
        CREATE OR REPLACE FUNCTION movie_search_words(title TEXT) RETURNS TEXT
            LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $body$
        DECLARE
            words TEXT;
        BEGIN
            IF octet_length(title) <> length(title) THEN
                RETURN %I.movie_search_words_of_any(title);
            END IF;
            words := btrim(regexp_replace(lower(title COLLATE "C"), '[\s!-/:-@\[-`{-\x7f]+', ' ', 'g'));
            RETURN CASE words WHEN '' THEN lower(title COLLATE "C") ELSE words END;
        END
        $body$
    $create$, current_schema());
END
$do$;
