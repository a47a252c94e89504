-- What was asked, and how it ended. Times are microseconds since 1970-01-01 UTC; JSON is text.
CREATE TABLE diagnoses (
    id           INTEGER PRIMARY KEY AUTOINCREMENT,
    started_at   BIGINT NOT NULL,
    actor        TEXT   NOT NULL, -- JSON: how they came in, id, name, roles
    place        TEXT   NOT NULL, -- discord:<guild>/<channel>, cli
    runbook      TEXT   NOT NULL,
    page_hash    TEXT   NOT NULL,
    params       TEXT   NOT NULL, -- JSON
    -- Empty until the diagnosis has ended; all four together.
    verdict      TEXT,
    root_causes  TEXT,            -- JSON
    duration_ms  BIGINT,
    report       TEXT             -- JSON, as `handbell diagnose --json` prints it
);
CREATE INDEX diagnoses_by_runbook ON diagnoses (runbook, id);
CREATE INDEX diagnoses_by_time ON diagnoses (started_at);

-- What was asked and refused.
CREATE TABLE refusals (
    id     INTEGER PRIMARY KEY AUTOINCREMENT,
    at     BIGINT NOT NULL,
    actor  TEXT   NOT NULL,
    place  TEXT   NOT NULL,
    asked  TEXT   NOT NULL,
    why    TEXT   NOT NULL
);
CREATE INDEX refusals_by_time ON refusals (at);

-- Lets an opener see in one read that there is nothing to migrate.
PRAGMA user_version = 1;
