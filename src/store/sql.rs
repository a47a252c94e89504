//! The queries. `$1` and plain types, so that SQLite and PostgreSQL both take them.

/// Gives the number, and whether there is something older than `$7`.
pub(super) const BEGIN: &str = "INSERT INTO diagnoses \
     (started_at, actor, place, runbook, page_hash, params) \
     VALUES ($1, $2, $3, $4, $5, $6) RETURNING id, \
     EXISTS (SELECT 1 FROM diagnoses AS old WHERE old.started_at < $7) \
     OR EXISTS (SELECT 1 FROM refusals AS old WHERE old.at < $7)";

/// Does nothing to a diagnosis that has an outcome already.
pub(super) const FINISH: &str = "UPDATE diagnoses \
     SET verdict = $2, root_causes = $3, duration_ms = $4, report = $5 \
     WHERE id = $1 AND verdict IS NULL";

pub(super) const EXISTS: &str = "SELECT COUNT(*) FROM diagnoses WHERE id = $1";

pub(super) const REFUSE: &str =
    "INSERT INTO refusals (at, actor, place, asked, why) VALUES ($1, $2, $3, $4, $5)";

pub(super) const HISTORY: &str = "SELECT id, started_at, actor, place, runbook, page_hash, params, \
     verdict, root_causes, duration_ms, report FROM diagnoses ORDER BY id DESC LIMIT $1";

pub(super) const HISTORY_OF: &str = "SELECT id, started_at, actor, place, runbook, page_hash, params, \
     verdict, root_causes, duration_ms, report FROM diagnoses WHERE runbook = $2 \
     ORDER BY id DESC LIMIT $1";

pub(super) const LAST_HEALTHY: &str = "SELECT id, started_at, actor, place, runbook, page_hash, params, \
     verdict, root_causes, duration_ms, report FROM diagnoses WHERE runbook = $1 AND verdict = 'ok' \
     ORDER BY id DESC LIMIT 1";

pub(super) const RECORD: &str = "SELECT id, started_at, actor, place, runbook, page_hash, params, \
     verdict, root_causes, duration_ms, report FROM diagnoses WHERE id = $1";

pub(super) const ANSWER: &str =
    "INSERT INTO answers (diagnosis, at, actor, page, step, fine) VALUES ($1, $2, $3, $4, $5, $6)";

/// The first answers of a diagnosis, in the order in which they came.
pub(super) const ANSWERS: &str = "SELECT at, actor, page, step, fine FROM answers \
     WHERE diagnosis = $1 ORDER BY id LIMIT 100";

/// Forgets what is older than `$1`, at most `$2` at a time.
pub(super) const FORGET_DIAGNOSES: &str = "DELETE FROM diagnoses WHERE id IN \
     (SELECT id FROM diagnoses WHERE started_at < $1 ORDER BY started_at LIMIT $2)";

/// As [`FORGET_DIAGNOSES`], for refusals.
pub(super) const FORGET_REFUSALS: &str = "DELETE FROM refusals WHERE id IN \
     (SELECT id FROM refusals WHERE at < $1 ORDER BY at LIMIT $2)";
