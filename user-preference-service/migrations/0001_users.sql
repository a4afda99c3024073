-- The constraints are named because the service tells by their names what was wrong with a row.
--
-- An id is a BIGINT: an insert that is refused uses one up as well, so attempts alone could exhaust an INTEGER.
CREATE TABLE users (
    id         BIGINT GENERATED ALWAYS AS IDENTITY,
    username   VARCHAR(100) NOT NULL,
    email      VARCHAR(255) NOT NULL,
    created_at TIMESTAMPTZ  NOT NULL DEFAULT now(),
    CONSTRAINT users_pkey PRIMARY KEY (id),
    -- In this order: when both are taken, the first one is reported.
    CONSTRAINT users_username_key UNIQUE (username),
    CONSTRAINT users_email_key UNIQUE (email)
);
