-- Every list is recorded with what it was made by, what happened to its movies is counted, and two sets of rules may run
-- side by side. The table of snapshots stays: it has the newest list of each user, and older replicas write it.

-- Users and movies live in other services, so there is nothing to refer to. `rules` is [[type, weight], ...], `items` is
-- [[movie id, score, [contribution of each of the rules, ...]], ...], best first.
CREATE TABLE recommendation_lists (
    recommendation_id VARCHAR(32) COLLATE "C" PRIMARY KEY,
    user_id           BIGINT,
    generated_at      TIMESTAMPTZ NOT NULL,
    strategy          VARCHAR(50) NOT NULL,
    experiment        VARCHAR(50),
    variant           VARCHAR(50),
    model_version     TEXT        NOT NULL,
    degraded          BOOLEAN     NOT NULL,
    first_place       INTEGER     NOT NULL,
    rules             JSONB       NOT NULL,
    items             JSONB       NOT NULL
);

-- Pages of a user's history, and the index also finds the lists of one user for the difference of two.
CREATE INDEX recommendation_lists_user ON recommendation_lists (user_id, generated_at, recommendation_id);
-- What retention deletes.
CREATE INDEX recommendation_lists_generated_at ON recommendation_lists (generated_at);

-- One row for each movie of a list that something happened to. It repeats what the report groups by, so that a report
-- reads one table, also about lists that retention has deleted, and about one that is still on its way to its table.
CREATE TABLE recommendation_events (
    recommendation_id VARCHAR(32) COLLATE "C",
    movie_id          INTEGER,
    generated_at      TIMESTAMPTZ NOT NULL,
    place             INTEGER     NOT NULL,
    rule              VARCHAR(50) NOT NULL,
    strategy          VARCHAR(50) NOT NULL,
    experiment        VARCHAR(50),
    variant           VARCHAR(50),
    impression_at     TIMESTAMPTZ,
    click_at          TIMESTAMPTZ,
    play_at           TIMESTAMPTZ,
    PRIMARY KEY (recommendation_id, movie_id)
);

CREATE INDEX recommendation_events_generated_at ON recommendation_events (generated_at);

-- The experiment that runs, if there is one. Whoever changes it locks the revision of the rules, as those do who change
-- the rules that it compares.
CREATE TABLE recommendation_experiment (
    singleton  BOOLEAN PRIMARY KEY DEFAULT TRUE,
    name       VARCHAR(50)      NOT NULL,
    control    VARCHAR(50)      NOT NULL,
    treatment  VARCHAR(50)      NOT NULL,
    share      DOUBLE PRECISION NOT NULL,
    started_at TIMESTAMPTZ      NOT NULL DEFAULT now(),
    CONSTRAINT recommendation_experiment_one_row CHECK (singleton),
    CONSTRAINT recommendation_experiment_two_variants CHECK (control <> treatment),
    CONSTRAINT recommendation_experiment_share_range CHECK (share BETWEEN 0 AND 1)
);
