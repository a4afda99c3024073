-- Ratings, abandoned movies, and when something was done, which may be long before it was recorded.
--
-- Replicas of the previous release leave the new columns out. NULL in `occurred_at` therefore means `created_at`, also in the
-- rows that are here already, so that none of them must be written anew.
ALTER TABLE user_interactions
    -- Halves from 0.5 to 10, which REAL holds exactly. Of ratings only.
    ADD COLUMN value             REAL,
    ADD COLUMN occurred_at       TIMESTAMPTZ,
    -- The list of recommendation-service that the movie was taken from.
    ADD COLUMN recommendation_id VARCHAR(100),
    DROP CONSTRAINT user_interactions_type_check,
    ADD CONSTRAINT user_interactions_type_check
        CHECK (interaction_type IN ('like', 'dislike', 'watchlist', 'watched', 'rating', 'abandoned')),
    ADD CONSTRAINT user_interactions_value_check CHECK (
        CASE interaction_type
            WHEN 'rating' THEN value IS NOT NULL AND value BETWEEN 0.5 AND 10 AND value * 2 = floor(value * 2)
            ELSE value IS NULL
        END
    );

-- One index in place of two: a profile reads all that it shows of a user's interactions from it alone, and so does the
-- statement with which replicas of the previous release look for seen movies. A write has one index less to change.
DROP INDEX user_interactions_newest_idx, user_interactions_seen_idx;
CREATE INDEX user_interactions_newest_idx ON user_interactions (user_id, created_at DESC, id DESC)
    INCLUDE (movie_id, interaction_type, value, occurred_at);
