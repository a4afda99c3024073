-- Finding movies by more than their date: what the list filters and sorts by.

-- An average over nobody says nothing: a movie without votes has no rating, and comes last in both orders.
ALTER TABLE movies
    ADD COLUMN rating DOUBLE PRECISION GENERATED ALWAYS AS (CASE WHEN vote_count > 0 THEN vote_average END) STORED;

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
