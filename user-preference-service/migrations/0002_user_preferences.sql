-- One row a user. The foreign key is what says that a user does not exist, without a look before the insert.
CREATE TABLE user_preferences (
    id                 BIGINT GENERATED ALWAYS AS IDENTITY,
    user_id            BIGINT           NOT NULL,
    preferred_genres   TEXT[]           NOT NULL DEFAULT '{}',
    preferred_language VARCHAR(10)      NOT NULL DEFAULT 'en',
    -- DOUBLE PRECISION, as in JSON: what was sent comes back, to the last digit.
    min_rating         DOUBLE PRECISION NOT NULL DEFAULT 0,
    -- Grows with every change, so that the order of two changes is known even when the clock was set back.
    revision           BIGINT           NOT NULL DEFAULT 1,
    updated_at         TIMESTAMPTZ      NOT NULL DEFAULT now(),
    CONSTRAINT user_preferences_pkey PRIMARY KEY (id),
    CONSTRAINT user_preferences_user_id_key UNIQUE (user_id),
    CONSTRAINT user_preferences_user_id_fkey FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE CASCADE,
    CONSTRAINT user_preferences_min_rating_check CHECK (min_rating BETWEEN 0 AND 10)
);
