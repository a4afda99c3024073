-- The revision of what is known of a user, in a narrow table of its own: recommendation-service asks for it before it uses a list
-- that it made before. Triggers raise it, so that it grows whoever writes, also replicas of the previous release. The row of a user
-- stays locked until the transaction ends: of two changes that are seen one after the other, the later one has the higher revision.
CREATE TABLE user_revisions (
    user_id  BIGINT NOT NULL,
    revision BIGINT NOT NULL DEFAULT 0,
    CONSTRAINT user_revisions_pkey PRIMARY KEY (user_id),
    CONSTRAINT user_revisions_user_id_fkey FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE CASCADE
-- Room on each page for the next version of a row, so that no index changes with it.
) WITH (fillfactor = 50);

-- Tells one database from another: after a start from nothing, numbers begin anew.
CREATE TABLE database_epoch (
    only_row BOOLEAN NOT NULL DEFAULT TRUE,
    epoch    UUID    NOT NULL DEFAULT gen_random_uuid(),
    CONSTRAINT database_epoch_pkey PRIMARY KEY (only_row),
    CONSTRAINT database_epoch_only_row_check CHECK (only_row)
);
INSERT INTO database_epoch DEFAULT VALUES;

-- Nothing may be written between the copy below and the triggers that go on from it.
LOCK TABLE users, user_preferences, user_interactions IN SHARE ROW EXCLUSIVE MODE;
INSERT INTO user_revisions (user_id) SELECT id FROM users ORDER BY id;

CREATE FUNCTION add_user_revisions() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO user_revisions (user_id) SELECT id FROM new_rows ORDER BY id;
    RETURN NULL;
END
$$;

-- By user, so that two transactions never wait for each other.
CREATE FUNCTION raise_revisions_of_added() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO user_revisions AS r (user_id, revision)
    SELECT DISTINCT user_id, 1 FROM new_rows ORDER BY user_id
    ON CONFLICT (user_id) DO UPDATE SET revision = r.revision + 1;
    RETURN NULL;
END
$$;

CREATE FUNCTION raise_revisions_of_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE user_revisions SET revision = revision + 1
    WHERE user_id IN (SELECT user_id FROM old_rows UNION SELECT user_id FROM new_rows);
    RETURN NULL;
END
$$;

-- An update alone: with the user, the row is deleted as well.
CREATE FUNCTION raise_revisions_of_removed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE user_revisions SET revision = revision + 1 WHERE user_id IN (SELECT user_id FROM old_rows);
    RETURN NULL;
END
$$;

CREATE FUNCTION raise_all_revisions() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE user_revisions SET revision = revision + 1;
    RETURN NULL;
END
$$;

CREATE TRIGGER users_added AFTER INSERT ON users
    REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION add_user_revisions();

CREATE TRIGGER preferences_added AFTER INSERT ON user_preferences
    REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION raise_revisions_of_added();
CREATE TRIGGER preferences_changed AFTER UPDATE ON user_preferences
    REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION raise_revisions_of_changed();
CREATE TRIGGER preferences_removed AFTER DELETE ON user_preferences
    REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION raise_revisions_of_removed();
CREATE TRIGGER preferences_emptied AFTER TRUNCATE ON user_preferences
    FOR EACH STATEMENT EXECUTE FUNCTION raise_all_revisions();

CREATE TRIGGER interactions_added AFTER INSERT ON user_interactions
    REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION raise_revisions_of_added();
CREATE TRIGGER interactions_changed AFTER UPDATE ON user_interactions
    REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION raise_revisions_of_changed();
CREATE TRIGGER interactions_removed AFTER DELETE ON user_interactions
    REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION raise_revisions_of_removed();
CREATE TRIGGER interactions_emptied AFTER TRUNCATE ON user_interactions
    FOR EACH STATEMENT EXECUTE FUNCTION raise_all_revisions();
