-- Rules are changed over HTTP: there may be sets of rules beside the default one, whose variant is '', each change gets a
-- revision, and what a rule was before can be read. Triggers do it, so that changes made by SQL count as well.

-- A name is unique within its variant. A replica of the previous release writes no rules, and reads the active ones.
ALTER TABLE recommendation_rules
    ADD COLUMN variant    VARCHAR(50) NOT NULL DEFAULT '',
    ADD COLUMN updated_at TIMESTAMPTZ NOT NULL DEFAULT now(),
    DROP CONSTRAINT recommendation_rules_name_key,
    ADD CONSTRAINT recommendation_rules_variant_name_key UNIQUE (variant, name);

UPDATE recommendation_rules SET updated_at = created_at;

-- One row. It is also what writers lock, so that they take turns.
CREATE TABLE recommendation_rules_revision (
    singleton BOOLEAN PRIMARY KEY DEFAULT TRUE,
    revision  BIGINT  NOT NULL,
    CONSTRAINT recommendation_rules_revision_one_row CHECK (singleton)
);

INSERT INTO recommendation_rules_revision (revision) VALUES (1);

-- The state after each change, or for a deletion the last one. Rules that are gone keep their history, so nothing is
-- referred to.
CREATE TABLE recommendation_rule_changes (
    id         BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    rule_id    BIGINT           NOT NULL,
    revision   BIGINT           NOT NULL,
    action     VARCHAR(10)      NOT NULL,
    name       VARCHAR(100)     NOT NULL,
    weight     DOUBLE PRECISION NOT NULL,
    rule_type  VARCHAR(50)      NOT NULL,
    is_active  BOOLEAN          NOT NULL,
    variant    VARCHAR(50)      NOT NULL,
    changed_at TIMESTAMPTZ      NOT NULL,
    CONSTRAINT recommendation_rule_changes_action_known CHECK (action IN ('created', 'updated', 'deleted'))
);

CREATE INDEX recommendation_rule_changes_rule ON recommendation_rule_changes (rule_id, id);

INSERT INTO recommendation_rule_changes
    (rule_id, revision, action, name, weight, rule_type, is_active, variant, changed_at)
SELECT id, 1, 'created', name, weight, rule_type, is_active, variant, created_at
FROM recommendation_rules
ORDER BY id;

-- Before the rows are touched, so that whoever writes locks the revision first: no two writers wait for each other.
CREATE FUNCTION recommendation_rules_next_revision() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE recommendation_rules_revision SET revision = revision + 1;
    RETURN NULL;
END
$$;

CREATE TRIGGER recommendation_rules_next_revision
    BEFORE INSERT OR UPDATE OR DELETE OR TRUNCATE ON recommendation_rules
    FOR EACH STATEMENT EXECUTE FUNCTION recommendation_rules_next_revision();

CREATE FUNCTION recommendation_rules_touch() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.updated_at := now();
    RETURN NEW;
END
$$;

CREATE TRIGGER recommendation_rules_touch
    BEFORE UPDATE ON recommendation_rules
    FOR EACH ROW WHEN (OLD.* IS DISTINCT FROM NEW.*) EXECUTE FUNCTION recommendation_rules_touch();

CREATE FUNCTION recommendation_rules_record() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    rule recommendation_rules;
BEGIN
    IF TG_OP = 'UPDATE' AND OLD.* IS NOT DISTINCT FROM NEW.* THEN
        RETURN NULL;
    END IF;
    IF TG_OP = 'DELETE' THEN
        rule := OLD;
    ELSE
        rule := NEW;
    END IF;
    INSERT INTO recommendation_rule_changes
        (rule_id, revision, action, name, weight, rule_type, is_active, variant, changed_at)
    SELECT rule.id, revision, CASE TG_OP WHEN 'INSERT' THEN 'created' WHEN 'UPDATE' THEN 'updated' ELSE 'deleted' END,
           rule.name, rule.weight, rule.rule_type, rule.is_active, rule.variant, now()
    FROM recommendation_rules_revision;
    RETURN NULL;
END
$$;

CREATE TRIGGER recommendation_rules_record
    AFTER INSERT OR UPDATE OR DELETE ON recommendation_rules
    FOR EACH ROW EXECUTE FUNCTION recommendation_rules_record();
