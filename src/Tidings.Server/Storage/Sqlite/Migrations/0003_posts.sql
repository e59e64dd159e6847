-- Posts, likes, follows, and what their write path leaves for later. All times are unix milliseconds, UTC.
-- Every post pays for every index here, so there are only those that pages need.

CREATE TABLE posts (
    id             TEXT    NOT NULL PRIMARY KEY,          -- UUIDv7, 32 hex digits: new ids go to the end of the index
    author_id      TEXT    NOT NULL,
    created_at     INTEGER NOT NULL,
    updated_at     INTEGER NOT NULL,
    version        INTEGER NOT NULL,                      -- rises with each change of the post or its counters
    likes_count    INTEGER NOT NULL,
    comments_count INTEGER NOT NULL,
    deleted        INTEGER NOT NULL,
    is_locked      INTEGER NOT NULL,
    price          TEXT,                                  -- a decimal number as text, so that no digit is lost
    currency       TEXT    NOT NULL,
    tier           TEXT,
    status         TEXT    NOT NULL,
    media_type     TEXT    NOT NULL,
    media_url      TEXT,
    thumbnail      TEXT,
    category       TEXT    NOT NULL,                      -- '' for none
    title          TEXT    NOT NULL,
    content        TEXT    NOT NULL
);

CREATE INDEX posts_by_author ON posts (author_id, created_at, id) WHERE deleted = 0 AND status = 'published';
CREATE INDEX posts_by_time ON posts (created_at, id) WHERE deleted = 0 AND status = 'published';
CREATE INDEX posts_by_category ON posts (category, created_at, id) WHERE deleted = 0 AND status = 'published' AND category <> '';

CREATE TABLE post_likes (
    post_id    TEXT    NOT NULL,
    user_id    TEXT    NOT NULL,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (post_id, user_id)
) WITHOUT ROWID;

CREATE TABLE follows (
    follower_id TEXT    NOT NULL,
    creator_id  TEXT    NOT NULL,
    since_seq   INTEGER NOT NULL,                         -- the log's last seq at the follow: what came before is not replayed
    created_at  INTEGER NOT NULL,
    PRIMARY KEY (follower_id, creator_id)
) WITHOUT ROWID;

CREATE INDEX follows_by_creator ON follows (creator_id);

-- For GET /api/creators: names by prefix, and the most followed first.
CREATE INDEX users_by_full_name ON users (full_name COLLATE NOCASE);
CREATE INDEX users_by_followers ON users (followers_count, id);

-- The first answer to each request that had a key. In the transaction of what the request did. Bodies lie in the order of their
-- arrival and only the keys are sorted: WITHOUT ROWID, four rows filled a page of the tree and a post cost twice as much.
CREATE TABLE idempotency_keys (
    id           INTEGER NOT NULL PRIMARY KEY,            -- rises with time: the oldest are removed first
    user_id      TEXT    NOT NULL,                        -- '' for a backend
    key          TEXT    NOT NULL,
    request_hash BLOB    NOT NULL,
    status       INTEGER NOT NULL,
    location     TEXT,
    body         BLOB    NOT NULL,
    created_at   INTEGER NOT NULL,
    UNIQUE (user_id, key)
);

-- Marks of counters that changed and whose event is still due: at most one event per post and 100 ms.
CREATE TABLE pending_counters (
    post_id      TEXT    NOT NULL PRIMARY KEY,
    likes        INTEGER NOT NULL,
    unlikes      INTEGER NOT NULL,
    latest_user  TEXT    NOT NULL,
    latest_liked INTEGER NOT NULL
) WITHOUT ROWID;

-- How many public posts went by without a row of their own in public:posts.
CREATE TABLE pending_public_posts (
    id    INTEGER NOT NULL PRIMARY KEY CHECK (id = 1),
    posts INTEGER NOT NULL
);

INSERT INTO pending_public_posts (id, posts) VALUES (1, 0);
