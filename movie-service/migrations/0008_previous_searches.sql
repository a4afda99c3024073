-- 0007 dropped two functions that replicas of the schema before it still call, so their searches failed while an upgrade was
-- under way. They are back until the release after 0.1.0, by when no such replica runs. Without the index that 0007 dropped
-- they look at each title: slower, but right.

CREATE FUNCTION movies_spelt_like(words TEXT) RETURNS TABLE (id INTEGER, closeness REAL)
    LANGUAGE sql STABLE STRICT PARALLEL SAFE ROWS 100 SET pg_trgm.word_similarity_threshold = 0.4
BEGIN ATOMIC
    SELECT m.id, word_similarity(words, m.search_text) FROM movies m WHERE words <% m.search_text;
END;
CREATE FUNCTION movies_spelt_closely(words TEXT) RETURNS TABLE (id INTEGER, closeness REAL)
    LANGUAGE sql STABLE STRICT PARALLEL SAFE ROWS 100 SET pg_trgm.word_similarity_threshold = 0.6
BEGIN ATOMIC
    SELECT m.id, word_similarity(words, m.search_text) FROM movies m WHERE words <% m.search_text;
END;
