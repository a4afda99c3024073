-- Movies that people manage: without an id at TMDB if they like, and with fields that a sync leaves alone.

ALTER TABLE movies
    ALTER COLUMN tmdb_id DROP NOT NULL,
    -- Names of fields as clients see them, sorted, each once.
    ADD COLUMN locked_fields TEXT[] NOT NULL DEFAULT '{}';
