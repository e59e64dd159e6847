-- Reports, moderators, suspensions, and what was done. All times are unix milliseconds, UTC.
ALTER TABLE users ADD COLUMN is_moderator INTEGER NOT NULL DEFAULT 0;

CREATE TABLE reports (
    id          TEXT    NOT NULL PRIMARY KEY,             -- UUIDv7, 32 hex digits
    reporter_id TEXT    NOT NULL,
    kind        TEXT    NOT NULL,                         -- post, comment, message, user
    object_id   TEXT    NOT NULL,
    author_id   TEXT    NOT NULL,                         -- whose it is
    reason      TEXT    NOT NULL,
    note        TEXT    NOT NULL,
    status      TEXT    NOT NULL,                         -- open, dismissed, acted
    created_at  INTEGER NOT NULL,
    resolved_at INTEGER,
    resolved_by TEXT                                      -- '' for a backend
) WITHOUT ROWID;

CREATE UNIQUE INDEX reports_open_once ON reports (reporter_id, kind, object_id) WHERE status = 'open';
CREATE INDEX reports_by_status ON reports (status, id);

CREATE TABLE suspensions (
    user_id    TEXT    NOT NULL PRIMARY KEY,
    until      INTEGER NOT NULL,
    reason     TEXT    NOT NULL,
    created_at INTEGER NOT NULL
) WITHOUT ROWID;

-- Only ever added to.
CREATE TABLE audit_log (
    id       TEXT    NOT NULL PRIMARY KEY,                -- UUIDv7, 32 hex digits: the order of what happened
    at       INTEGER NOT NULL,
    actor_id TEXT    NOT NULL,                            -- '' for a backend
    action   TEXT    NOT NULL,
    object   TEXT    NOT NULL,                            -- such as post:0199…
    note     TEXT    NOT NULL
) WITHOUT ROWID;

-- Users who have left and whose traces are being removed.
CREATE TABLE account_removals (
    user_id      TEXT    NOT NULL PRIMARY KEY,
    requested_at INTEGER NOT NULL
) WITHOUT ROWID;
