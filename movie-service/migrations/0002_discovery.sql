-- Finding movies by more than their date: what the list searches, filters and sorts by.

-- Searching titles. What is compared are words: one form of each letter (compatibility forms, accents and case are gone),
-- with a space between them. A title of nothing but punctuation keeps it. The bodies below are bound to what they name
-- when they are created, so that a search path, or a restore, cannot change them.
CREATE EXTENSION IF NOT EXISTS pg_trgm;
CREATE EXTENSION IF NOT EXISTS unaccent;

CREATE FUNCTION movie_search_words(title TEXT) RETURNS TEXT LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE RETURN
    COALESCE(
        NULLIF(btrim(regexp_replace(
            lower(unaccent('unaccent'::regdictionary, normalize(title, NFKC)) COLLATE title_order) COLLATE "C",
            '[\s!-/:-@\[-`{-¿‐-⁞、-〜・]+', ' ', 'g')), ''),
        lower(title COLLATE title_order) COLLATE "C");

-- `rating`: an average over nobody says nothing. A movie without votes has no rating, and comes last in both orders.
-- `search_text`: title and original title, each on a line of its own, with a space before each word and after the last:
-- "\n seven samurai \n 七人の侍 \n". Exact, prefix and word are then patterns on one column with one index.
-- Both at once: each such statement writes the whole table anew.
ALTER TABLE movies
    ADD COLUMN rating DOUBLE PRECISION GENERATED ALWAYS AS (CASE WHEN vote_count > 0 THEN vote_average END) STORED,
    ADD COLUMN search_text TEXT COLLATE "C" NOT NULL GENERATED ALWAYS AS (
        E'\n ' || movie_search_words(title) || E' \n'
        || COALESCE(' ' || NULLIF(movie_search_words(original_title), movie_search_words(title)) || E' \n', '')
    ) STORED;

-- One index for each order, as for the orders there were. `created_at` is never null: read backwards, one will do.
CREATE INDEX movies_by_rating ON movies (rating DESC NULLS LAST, id DESC);
CREATE INDEX movies_by_rating_ascending ON movies (rating, id);
CREATE INDEX movies_by_vote_count ON movies (vote_count DESC NULLS LAST, id DESC);
CREATE INDEX movies_by_vote_count_ascending ON movies (vote_count, id);
CREATE INDEX movies_by_runtime ON movies (runtime DESC NULLS LAST, id DESC);
CREATE INDEX movies_by_runtime_ascending ON movies (runtime, id);
CREATE INDEX movies_by_creation ON movies (created_at, id);

-- A language is either common, and the first page is found among the most popular, or rare, and found here.
CREATE INDEX movies_by_language ON movies (original_language, popularity DESC NULLS LAST, id DESC);

CREATE INDEX movies_by_words ON movies USING gin (search_text gin_trgm_ops);

-- Movies with a part of their title like these words. A swapped pair of letters in a word of six leaves three of its
-- seven trigrams; pg_trgm's own threshold (0.6) would miss that.
CREATE FUNCTION movies_spelt_like(words TEXT) RETURNS TABLE (id INTEGER, closeness REAL)
    LANGUAGE sql STABLE STRICT PARALLEL SAFE ROWS 100 SET pg_trgm.word_similarity_threshold = 0.4
BEGIN ATOMIC
    SELECT m.id, word_similarity(words, m.search_text) FROM movies m WHERE words <% m.search_text;
END;
