-- Movies live in another service, so movie_id has no foreign key. The same interaction may happen twice.
CREATE TABLE user_interactions (
    id               BIGINT GENERATED ALWAYS AS IDENTITY,
    user_id          BIGINT      NOT NULL,
    movie_id         INTEGER     NOT NULL,
    interaction_type VARCHAR(50) NOT NULL,
    created_at       TIMESTAMPTZ NOT NULL DEFAULT now(),
    CONSTRAINT user_interactions_pkey PRIMARY KEY (id),
    CONSTRAINT user_interactions_user_id_fkey FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE CASCADE,
    CONSTRAINT user_interactions_movie_id_check CHECK (movie_id > 0),
    CONSTRAINT user_interactions_type_check CHECK (interaction_type IN ('like', 'dislike', 'watchlist', 'watched'))
);

-- The newest interactions of a user, in the order in which they are listed; also what deleting a user looks up.
CREATE INDEX user_interactions_newest_idx ON user_interactions (user_id, created_at DESC, id DESC);

-- The movies a user has seen enough of, read by every recommendation from this index alone.
CREATE INDEX user_interactions_seen_idx ON user_interactions (user_id, movie_id)
    WHERE interaction_type IN ('watched', 'dislike');
