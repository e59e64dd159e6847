-- Reports, moderators, suspensions, and what was done. All times are unix milliseconds, UTC.
ALTER TABLE users ADD COLUMN is_moderator bigint NOT NULL DEFAULT 0;

CREATE TABLE reports (
    id          text COLLATE "C" NOT NULL PRIMARY KEY,       -- UUIDv7, 32 hex digits
    reporter_id text COLLATE "C" NOT NULL,
    kind        text COLLATE "C" NOT NULL,                   -- post, comment, message, user
    object_id   text COLLATE "C" NOT NULL,
    author_id   text COLLATE "C" NOT NULL,                   -- whose it is
    reason      text COLLATE "C" NOT NULL,
    note        text COLLATE "C" NOT NULL,
    status      text COLLATE "C" NOT NULL,                   -- open, dismissed, acted
    created_at  bigint NOT NULL,
    resolved_at bigint,
    resolved_by text COLLATE "C"                             -- '' for a backend
);

CREATE UNIQUE INDEX reports_open_once ON reports (reporter_id, kind, object_id) WHERE status = 'open';
CREATE INDEX reports_by_status ON reports (status, id);

CREATE TABLE suspensions (
    user_id    text COLLATE "C" NOT NULL PRIMARY KEY,
    until      bigint NOT NULL,
    reason     text COLLATE "C" NOT NULL,
    created_at bigint NOT NULL
);

-- Only ever added to.
CREATE TABLE audit_log (
    id       text COLLATE "C" NOT NULL PRIMARY KEY,          -- UUIDv7, 32 hex digits: the order of what happened
    at       bigint NOT NULL,
    actor_id text COLLATE "C" NOT NULL,                      -- '' for a backend
    action   text COLLATE "C" NOT NULL,
    object   text COLLATE "C" NOT NULL,                      -- such as post:0199…
    note     text COLLATE "C" NOT NULL
);

-- Users who have left and whose traces are being removed.
CREATE TABLE account_removals (
    user_id      text COLLATE "C" NOT NULL PRIMARY KEY,
    requested_at bigint NOT NULL
);
