-- What people saw where only a person can look. Times are microseconds since 1970-01-01 UTC.
CREATE TABLE answers (
    id        INTEGER PRIMARY KEY AUTOINCREMENT,
    diagnosis BIGINT NOT NULL REFERENCES diagnoses (id) ON DELETE CASCADE,
    at        BIGINT NOT NULL,
    actor     TEXT   NOT NULL, -- JSON, as in diagnoses
    page      TEXT   NOT NULL,
    step      TEXT   NOT NULL,
    fine      BIGINT NOT NULL  -- 1: it looks fine; 0: that is it
);
CREATE INDEX answers_by_diagnosis ON answers (diagnosis, id);

PRAGMA user_version = 2;
