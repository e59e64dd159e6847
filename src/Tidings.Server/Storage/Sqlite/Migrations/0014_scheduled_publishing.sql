-- Scheduled posts, and where each is published. All times are unix milliseconds, UTC.
ALTER TABLE posts ADD COLUMN scheduled_at INTEGER;               -- the instant of local_time in time_zone by the rules of tzdb
ALTER TABLE posts ADD COLUMN local_time TEXT;                    -- as the author sees it, such as 2026-11-24T09:00:00
ALTER TABLE posts ADD COLUMN time_zone TEXT;                     -- an IANA name
ALTER TABLE posts ADD COLUMN overlap TEXT;                       -- earlier or later: which of two, when clocks go back
ALTER TABLE posts ADD COLUMN tzdb TEXT;                          -- the version of the rules
ALTER TABLE posts ADD COLUMN grace INTEGER;                      -- how late it may be published, in milliseconds
ALTER TABLE posts ADD COLUMN revision INTEGER NOT NULL DEFAULT 0; -- rises when it is edited before it is published
ALTER TABLE posts ADD COLUMN publishing TEXT;                    -- what its targets are together; NULL without targets

CREATE INDEX posts_scheduled ON posts (scheduled_at) WHERE status = 'scheduled' AND deleted = 0;

-- One account on one platform to which a post is published, or Tidings' own feed.
CREATE TABLE targets (
    id               TEXT    NOT NULL PRIMARY KEY,        -- UUIDv7, 32 hex digits: rises in the order in which they were asked for
    post_id          TEXT    NOT NULL,
    user_id          TEXT    NOT NULL,
    account_id       TEXT    NOT NULL,                    -- '' for the own feed
    platform         TEXT    NOT NULL,                    -- tidings for the own feed
    lane             TEXT    NOT NULL,                    -- what is published one after the other: the account, or the user's own feed
    state            TEXT    NOT NULL,                    -- pending, claimed, sending, succeeded, retry_wait, unknown, failed, skipped, canceled
    due_at           INTEGER NOT NULL,
    next_at          INTEGER NOT NULL,                    -- no attempt before it
    miss_at          INTEGER NOT NULL,                    -- no first attempt after it
    give_up_at       INTEGER NOT NULL,                    -- no attempt after it
    revision         INTEGER NOT NULL,
    idempotency_key  TEXT    NOT NULL,                    -- the same in all attempts of this revision
    attempt          INTEGER NOT NULL,                    -- rises with each claim: who has an older one writes no more
    tries            INTEGER NOT NULL,                    -- how many have begun since it was asked for
    owner            TEXT,                                -- the node that has claimed it
    lease_until      INTEGER,
    first_attempt_at INTEGER,                             -- of this key
    doubt            INTEGER NOT NULL,                    -- 0 none, 1 an attempt may have posted it, 2 so that it is looked for before it is sent again
    progress         TEXT,                                -- what the connector wants to know in the next attempt
    external_id      TEXT,
    url              TEXT,
    reason           TEXT,
    updated_at       INTEGER NOT NULL
) WITHOUT ROWID;

CREATE INDEX targets_of_post ON targets (post_id);
CREATE INDEX targets_of_user ON targets (user_id, state, id);
CREATE INDEX targets_due ON targets (platform, next_at, id) WHERE state IN ('pending', 'retry_wait');
CREATE INDEX targets_waiting ON targets (lane, due_at, id) WHERE state IN ('pending', 'retry_wait');
CREATE INDEX targets_leased ON targets (lease_until) WHERE state IN ('claimed', 'sending');

-- Two posts of an account are never on their way at once.
CREATE UNIQUE INDEX targets_one_at_a_time ON targets (lane) WHERE state IN ('claimed', 'sending');

-- Each is committed before its first byte is sent. Without an outcome nobody knows whether it was posted.
CREATE TABLE attempts (
    target_id       TEXT    NOT NULL,
    number          INTEGER NOT NULL,                     -- the target's attempt
    idempotency_key TEXT    NOT NULL,
    payload_hash    TEXT    NOT NULL,
    owner           TEXT    NOT NULL,
    started_at      INTEGER NOT NULL,
    finished_at     INTEGER,
    outcome         TEXT,                                 -- sent, not_sent, rate_limited, auth_refused, account_gone, rejected, unknown, found, absent
    status          INTEGER,                              -- of HTTP
    body            TEXT,                                 -- the beginning of the answer, without secrets
    reason          TEXT,
    latency         INTEGER,                              -- milliseconds
    PRIMARY KEY (target_id, number)
) WITHOUT ROWID;
