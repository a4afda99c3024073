-- Reading at a million movies: totals that cost no count, one index for each order, words found without a look at each title.

-- In the order in which a sync takes them. Nothing may be written between the count below and the triggers that go on from it.
LOCK TABLE genres, movies, movie_genres IN SHARE ROW EXCLUSIVE MODE;

-- `revision` changes with every statement that changes a movie, a genre or a link, whatever the field: what was counted
-- under one revision is right as long as that is the current one. `movies` is the exact number of movies.
-- `cursor_secret` is the key that cursors are signed with, the same for all replicas.
ALTER TABLE catalogue_state
    ADD COLUMN revision      BIGINT NOT NULL DEFAULT 0,
    ADD COLUMN movies        BIGINT NOT NULL DEFAULT 0,
    ADD COLUMN cursor_secret BYTEA  NOT NULL DEFAULT uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid());
UPDATE catalogue_state SET movies = (SELECT count(*) FROM movies);

-- `version` changes when it did before; `revision` with each row.

CREATE OR REPLACE FUNCTION catalogue_rows_added() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    added BIGINT := (SELECT count(*) FROM new_rows);
BEGIN
    IF added > 0 THEN
        UPDATE catalogue_state
        SET version = version + 1, revision = revision + 1,
            movies = movies + CASE TG_TABLE_NAME WHEN 'movies' THEN added ELSE 0 END;
    END IF;
    RETURN NULL;
END
$$;

CREATE OR REPLACE FUNCTION catalogue_rows_removed() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    removed BIGINT := (SELECT count(*) FROM old_rows);
BEGIN
    IF removed > 0 THEN
        UPDATE catalogue_state
        SET version = version + 1, revision = revision + 1,
            movies = movies - CASE TG_TABLE_NAME WHEN 'movies' THEN removed ELSE 0 END;
    END IF;
    RETURN NULL;
END
$$;

CREATE OR REPLACE FUNCTION catalogue_emptied() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE catalogue_state
    SET version = version + 1, revision = revision + 1, movies = CASE TG_TABLE_NAME WHEN 'movies' THEN 0 ELSE movies END;
    RETURN NULL;
END
$$;

CREATE OR REPLACE FUNCTION catalogue_movies_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM new_rows) THEN
        UPDATE catalogue_state SET revision = revision + 1, version = version + CASE WHEN EXISTS (
            SELECT id, title, release_date, popularity, poster_path, vote_average, vote_count FROM old_rows
            EXCEPT
            SELECT id, title, release_date, popularity, poster_path, vote_average, vote_count FROM new_rows
        ) THEN 1 ELSE 0 END;
    END IF;
    RETURN NULL;
END
$$;

CREATE OR REPLACE FUNCTION catalogue_genres_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM new_rows) THEN
        UPDATE catalogue_state SET revision = revision + 1, version = version + CASE WHEN EXISTS (
            SELECT id, name FROM old_rows EXCEPT SELECT id, name FROM new_rows
        ) THEN 1 ELSE 0 END;
    END IF;
    RETURN NULL;
END
$$;

CREATE OR REPLACE FUNCTION catalogue_links_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM new_rows) THEN
        UPDATE catalogue_state SET revision = revision + 1, version = version + CASE WHEN EXISTS (
            SELECT movie_id, genre_id FROM old_rows EXCEPT SELECT movie_id, genre_id FROM new_rows
        ) THEN 1 ELSE 0 END;
    END IF;
    RETURN NULL;
END
$$;

-- One index for each order, for both directions: the list reads the known values forwards or backwards, then the
-- unknown ones, which come last either way, by their id. `movies_by_title` and `movies_by_creation` are so already.
DROP INDEX movies_by_popularity, movies_by_popularity_ascending, movies_by_release_date, movies_by_release_date_ascending,
    movies_by_rating, movies_by_rating_ascending, movies_by_vote_count, movies_by_vote_count_ascending,
    movies_by_runtime, movies_by_runtime_ascending, movies_by_language, movies_without_runtime;
CREATE INDEX movies_by_popularity ON movies (popularity, id);
CREATE INDEX movies_by_release_date ON movies (release_date, id);
CREATE INDEX movies_by_rating ON movies (rating, id);
-- Those rated best are mostly those with one vote. Lists by rating with a least number of votes need not walk past them.
CREATE INDEX movies_by_rating_of_some ON movies (rating, id) INCLUDE (vote_count, release_date) WHERE vote_count >= 10;
CREATE INDEX movies_by_rating_of_many ON movies (rating, id) INCLUDE (vote_count, release_date) WHERE vote_count >= 100;
-- Next to nothing: movies whose votes somebody entered without an average. Without it, a list by rating with a least number
-- of votes would look for them among all that have no rating.
CREATE INDEX movies_by_rating_of_voted ON movies (rating, id) WHERE rating IS NULL AND vote_count > 0;
CREATE INDEX movies_by_vote_count ON movies (vote_count, id);
CREATE INDEX movies_by_runtime ON movies (runtime, id);
CREATE INDEX movies_by_language ON movies (original_language, popularity, id);

-- Each word of `search_text`, and each of its lines whole with the spaces around it, which no word has: words, the
-- beginning of a title and a whole title are found in one index, without a look at the rows. No search is longer than
-- what is kept of a lexeme, which PostgreSQL limits to 2046 bytes.
CREATE FUNCTION movie_search_lexemes_of_long(search_text TEXT) RETURNS TSVECTOR LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    RETURN array_to_tsvector(ARRAY(
        SELECT left(part, 256)
        FROM unnest(string_to_array(search_text, ' ') || string_to_array(search_text, E'\n')) part
        WHERE part NOT IN ('', E'\n')
    ));
-- Of built-in functions alone, so that it costs no call.
CREATE FUNCTION movie_search_lexemes(search_text TEXT) RETURNS TSVECTOR LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE RETURN
    CASE WHEN octet_length(search_text) < 2000
        THEN array_to_tsvector(array_remove(array_remove(
            string_to_array(search_text, ' ') || string_to_array(search_text, E'\n'), ''), E'\n'))
        ELSE movie_search_lexemes_of_long(search_text)
    END;
CREATE INDEX movies_by_lexeme ON movies USING gin (movie_search_lexemes(search_text));

-- As `movies_spelt_like`, but closer: what has less than the half of the trigrams of several words is much to look at, and
-- seldom wanted.
CREATE FUNCTION movies_spelt_closely(words TEXT) RETURNS TABLE (id INTEGER, closeness REAL)
    LANGUAGE sql STABLE STRICT PARALLEL SAFE ROWS 100 SET pg_trgm.word_similarity_threshold = 0.6
BEGIN ATOMIC
    SELECT m.id, word_similarity(words, m.search_text) FROM movies m WHERE words <% m.search_text;
END;
