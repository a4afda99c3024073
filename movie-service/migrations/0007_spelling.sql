-- Titles spelt alike, by the words that all titles have rather than by the titles: a misspelt word is like a few of the
-- former, and shares its syllables with thousands of the latter. The index of those words is a tenth of the one of all titles.

-- Nothing may be written between what is read below and the triggers that go on from it.
LOCK TABLE movies IN SHARE ROW EXCLUSIVE MODE;

-- Each word that any title has, or had: one that no title has any more does no harm. As much of it as the lexemes have.
-- One or two letters are not looked for.
CREATE TABLE movie_words (word TEXT COLLATE "C" PRIMARY KEY);
INSERT INTO movie_words
    SELECT DISTINCT left(word, 256) FROM movies, unnest(string_to_array(search_text, ' ')) word WHERE length(word) > 2;
CREATE INDEX movie_words_by_trigram ON movie_words USING gin (word gin_trgm_ops);

CREATE FUNCTION movie_words_added() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO movie_words
        SELECT DISTINCT left(word, 256) FROM new_rows, unnest(string_to_array(search_text, ' ')) word WHERE length(word) > 2
        ON CONFLICT DO NOTHING;
    RETURN NULL;
END
$$;
CREATE TRIGGER words_known AFTER INSERT ON movies REFERENCING NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION movie_words_added();

CREATE FUNCTION movie_words_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO movie_words
        SELECT DISTINCT left(word, 256)
        FROM (SELECT search_text FROM new_rows EXCEPT SELECT search_text FROM old_rows) changed,
             unnest(string_to_array(search_text, ' ')) word
        WHERE length(word) > 2
        ON CONFLICT DO NOTHING;
    RETURN NULL;
END
$$;
CREATE TRIGGER changed_words_known AFTER UPDATE ON movies REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION movie_words_changed();

CREATE FUNCTION movie_words_emptied() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    TRUNCATE movie_words;
    RETURN NULL;
END
$$;
CREATE TRIGGER words_emptied AFTER TRUNCATE ON movies FOR EACH STATEMENT EXECUTE FUNCTION movie_words_emptied();

-- Words with enough of the trigrams of a word, and up to one or two letters more or less. A letter mistaken leaves a
-- quarter of the trigrams of four letters, and more than a third of those of six.
CREATE FUNCTION movie_words_like_short(search TEXT) RETURNS SETOF TEXT
    LANGUAGE sql STABLE STRICT PARALLEL SAFE ROWS 100 SET pg_trgm.similarity_threshold = 0.2
BEGIN ATOMIC
    SELECT word FROM movie_words WHERE word % search AND length(word) BETWEEN length(search) - 1 AND length(search) + 1;
END;
CREATE FUNCTION movie_words_like_long(search TEXT) RETURNS SETOF TEXT
    LANGUAGE sql STABLE STRICT PARALLEL SAFE ROWS 100 SET pg_trgm.similarity_threshold = 0.3
BEGIN ATOMIC
    SELECT word FROM movie_words WHERE word % search AND length(word) BETWEEN length(search) - 2 AND length(search) + 2;
END;

DROP FUNCTION movies_spelt_like(TEXT), movies_spelt_closely(TEXT);

-- Scripts that put no space between words (Thai to Burmese, Khmer, kana, Chinese characters) are searched anywhere in the
-- title. Most titles need no trigrams for that.
CREATE FUNCTION movie_search_is_unspaced(search_text TEXT) RETURNS BOOLEAN LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE RETURN
    octet_length(search_text) <> length(search_text)
    AND search_text ~ '[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\U00020000-\U0003ffff]';
DROP INDEX movies_by_words;
CREATE INDEX movies_by_part ON movies USING gin (search_text gin_trgm_ops) WHERE movie_search_is_unspaced(search_text);
