-- A synchronous call is a job as well, `inline`: a client waits for it, so nobody resumes it when its process has ended.
-- Rows of the source that could not be used are counted. Replicas of the version before know neither column.
ALTER TABLE sync_jobs
    ADD COLUMN inline BOOLEAN NOT NULL DEFAULT FALSE,
    ADD COLUMN rows_skipped BIGINT NOT NULL DEFAULT 0;
