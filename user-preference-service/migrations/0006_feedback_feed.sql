-- The order in which recommendation-service reads interactions for training. The id is not that order: a transaction may commit
-- after another one with higher ids was read, and would be skipped. By transaction, everything below the oldest one that is still
-- running is settled for good. Rows that are here already belong to this transaction.
ALTER TABLE user_interactions ADD COLUMN transaction_id XID8 NOT NULL DEFAULT pg_current_xact_id();
CREATE INDEX user_interactions_feed_idx ON user_interactions (transaction_id, id);

-- Changes when what was read before is no longer there or different: whoever reads on must then begin anew.
ALTER TABLE database_epoch ADD COLUMN feed_epoch UUID NOT NULL DEFAULT gen_random_uuid();

CREATE FUNCTION change_feed_epoch() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE database_epoch SET feed_epoch = gen_random_uuid();
    RETURN NULL;
END
$$;

CREATE FUNCTION change_feed_epoch_if_any() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM old_rows) THEN
        UPDATE database_epoch SET feed_epoch = gen_random_uuid();
    END IF;
    RETURN NULL;
END
$$;

CREATE TRIGGER feed_changed AFTER UPDATE ON user_interactions
    REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION change_feed_epoch_if_any();
CREATE TRIGGER feed_removed AFTER DELETE ON user_interactions
    REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION change_feed_epoch_if_any();
CREATE TRIGGER feed_emptied AFTER TRUNCATE ON user_interactions
    FOR EACH STATEMENT EXECUTE FUNCTION change_feed_epoch();
