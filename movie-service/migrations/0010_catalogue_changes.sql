-- Copies of the catalogue read what changed since their version instead of all of it, and have the language and the runtime.

-- One row for each version: the movies that are not what they were before it. `position` grows by one with each row and by
-- one with each id, so that the log is cut by its size. A version without a row was too large for the log, or is cut off.
CREATE TABLE catalogue_changes (
    version   BIGINT    PRIMARY KEY,
    position  BIGINT    NOT NULL,
    movie_ids INTEGER[] NOT NULL
);
ALTER TABLE catalogue_state ADD COLUMN log_position BIGINT NOT NULL DEFAULT 0;

-- The next version, in which the movies `changed` are different and `added` more than before. Called with the row of
-- catalogue_state locked, so that versions are committed in their order.
CREATE FUNCTION catalogue_changed(changed INTEGER[], added INTEGER) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    longest CONSTANT INTEGER := 250000;
    size    CONSTANT INTEGER := 1 + cardinality(changed);
    state   RECORD;
BEGIN
    UPDATE catalogue_state
    SET version = version + 1, revision = revision + 1, movies = movies + added, log_position = log_position + size
    RETURNING version, log_position INTO state;
    IF size > longest THEN
        DELETE FROM catalogue_changes;
        RETURN;
    END IF;
    INSERT INTO catalogue_changes VALUES (state.version, state.log_position, changed);
    IF state.version % 128 = 0 OR size > 5000 THEN
        DELETE FROM catalogue_changes WHERE version < (
            SELECT version FROM catalogue_changes WHERE position > state.log_position - longest ORDER BY version LIMIT 1
        );
    END IF;
END
$$;

-- The triggers of 0001 and 0004 call these, whoever writes. A link that changes is a change of its movie. Genres are in the
-- first line of each answer.

CREATE OR REPLACE FUNCTION catalogue_rows_added() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    changed INTEGER[] := '{}';
BEGIN
    IF NOT EXISTS (SELECT FROM new_rows) THEN
        RETURN NULL;
    ELSIF TG_TABLE_NAME = 'movies' THEN
        changed := ARRAY(SELECT id FROM new_rows);
    ELSIF TG_TABLE_NAME = 'movie_genres' THEN
        changed := ARRAY(SELECT DISTINCT movie_id FROM new_rows);
    END IF;
    PERFORM catalogue_changed(changed, CASE TG_TABLE_NAME WHEN 'movies' THEN cardinality(changed) ELSE 0 END);
    RETURN NULL;
END
$$;

CREATE OR REPLACE FUNCTION catalogue_rows_removed() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    changed INTEGER[] := '{}';
BEGIN
    IF NOT EXISTS (SELECT FROM old_rows) THEN
        RETURN NULL;
    ELSIF TG_TABLE_NAME = 'movies' THEN
        changed := ARRAY(SELECT id FROM old_rows);
    ELSIF TG_TABLE_NAME = 'movie_genres' THEN
        changed := ARRAY(SELECT DISTINCT movie_id FROM old_rows);
    END IF;
    PERFORM catalogue_changed(changed, CASE TG_TABLE_NAME WHEN 'movies' THEN -cardinality(changed) ELSE 0 END);
    RETURN NULL;
END
$$;

CREATE OR REPLACE FUNCTION catalogue_emptied() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE catalogue_state
    SET version = version + 1, revision = revision + 1, movies = CASE TG_TABLE_NAME WHEN 'movies' THEN 0 ELSE movies END;
    DELETE FROM catalogue_changes;
    RETURN NULL;
END
$$;

-- Compared as the lines show them: what is not known and what is empty are the same there.
CREATE OR REPLACE FUNCTION catalogue_movies_changed() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    changed INTEGER[] := ARRAY(
        SELECT id FROM old_rows o FULL JOIN new_rows n USING (id)
        WHERE (o.title, o.release_date, o.popularity, COALESCE(o.poster_path, ''), o.rating, COALESCE(o.vote_count, 0),
               COALESCE(o.original_language, ''), COALESCE(o.runtime, 0))
              IS DISTINCT FROM
              (n.title, n.release_date, n.popularity, COALESCE(n.poster_path, ''), n.rating, COALESCE(n.vote_count, 0),
               COALESCE(n.original_language, ''), COALESCE(n.runtime, 0))
    );
BEGIN
    IF changed <> '{}' THEN
        PERFORM catalogue_changed(changed, 0);
    ELSIF EXISTS (SELECT FROM new_rows) THEN
        UPDATE catalogue_state SET revision = revision + 1;
    END IF;
    RETURN NULL;
END
$$;

CREATE OR REPLACE FUNCTION catalogue_genres_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT id, name FROM old_rows EXCEPT SELECT id, name FROM new_rows) THEN
        PERFORM catalogue_changed('{}', 0);
    ELSIF EXISTS (SELECT FROM new_rows) THEN
        UPDATE catalogue_state SET revision = revision + 1;
    END IF;
    RETURN NULL;
END
$$;

CREATE OR REPLACE FUNCTION catalogue_links_changed() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    changed INTEGER[] := ARRAY(
        SELECT DISTINCT movie_id FROM old_rows o FULL JOIN new_rows n USING (movie_id, genre_id)
        WHERE o.genre_id IS NULL OR n.genre_id IS NULL
    );
BEGIN
    IF changed <> '{}' THEN
        PERFORM catalogue_changed(changed, 0);
    ELSIF EXISTS (SELECT FROM new_rows) THEN
        UPDATE catalogue_state SET revision = revision + 1;
    END IF;
    RETURN NULL;
END
$$;
