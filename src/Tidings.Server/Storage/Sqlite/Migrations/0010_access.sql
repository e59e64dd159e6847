-- Who may see what: tiers of creators, what users have paid for, and whom they have blocked. All times are unix milliseconds, UTC.

-- What a creator sells. A post names a level, so renaming a tier changes nobody's access.
CREATE TABLE tiers (
    creator_id TEXT    NOT NULL,
    level      INTEGER NOT NULL,
    name       TEXT    NOT NULL,
    price      TEXT    NOT NULL,                          -- a decimal number as text, so that no digit is lost
    currency   TEXT    NOT NULL,
    PRIMARY KEY (creator_id, level)
) WITHOUT ROWID;

-- One row for each paid period. A reader has the highest level of those that are not over.
CREATE TABLE subscriptions (
    id         TEXT    NOT NULL PRIMARY KEY,              -- UUIDv7, 32 hex digits
    user_id    TEXT    NOT NULL,
    creator_id TEXT    NOT NULL,
    level      INTEGER NOT NULL,
    status     TEXT    NOT NULL,                          -- active, canceled (until it expires), expired, ended (before that)
    expires_at INTEGER NOT NULL,
    payment_id TEXT    NOT NULL UNIQUE,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL
) WITHOUT ROWID;

CREATE INDEX subscriptions_of_user ON subscriptions (user_id, creator_id, expires_at);
CREATE INDEX subscriptions_of_creator ON subscriptions (creator_id, expires_at) WHERE status IN ('active', 'canceled');
CREATE INDEX subscriptions_by_expiry ON subscriptions (expires_at) WHERE status IN ('active', 'canceled');

-- One row for each payment: a post that was paid for twice and refunded once is still bought.
CREATE TABLE purchases (
    user_id    TEXT    NOT NULL,
    post_id    TEXT    NOT NULL,
    payment_id TEXT    NOT NULL UNIQUE,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (user_id, post_id, payment_id)
) WITHOUT ROWID;

CREATE TABLE blocks (
    blocker_id TEXT    NOT NULL,
    blocked_id TEXT    NOT NULL,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (blocker_id, blocked_id)
) WITHOUT ROWID;

CREATE INDEX blocks_of_blocked ON blocks (blocked_id, blocker_id);

ALTER TABLE users ADD COLUMN subscribers_count INTEGER NOT NULL DEFAULT 0;

-- The level of posts.tier when the post was locked; null if no subscription opens it.
ALTER TABLE posts ADD COLUMN tier_level INTEGER;

CREATE INDEX drafts_by_author ON posts (author_id, created_at, id) WHERE deleted = 0 AND status <> 'published';
