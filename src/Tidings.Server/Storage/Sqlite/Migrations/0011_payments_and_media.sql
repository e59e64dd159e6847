-- Uploaded files, which lie in a folder under their ids. A row without a post is its owner's alone, for a day.
CREATE TABLE media (
    id           TEXT    NOT NULL PRIMARY KEY,   -- UUIDv7, 32 hex digits
    owner_id     TEXT    NOT NULL,
    post_id      TEXT,
    created_at   INTEGER NOT NULL,               -- Unix milliseconds
    content_type TEXT    NOT NULL,
    bytes        INTEGER NOT NULL,
    width        INTEGER,
    height       INTEGER
) WITHOUT ROWID;

CREATE INDEX media_of_post ON media (post_id) WHERE post_id IS NOT NULL;
CREATE INDEX media_unused ON media (owner_id) WHERE post_id IS NULL;

-- What somebody wants to pay for. It gives nothing until the provider confirms it.
CREATE TABLE payments (
    id         TEXT    NOT NULL PRIMARY KEY,     -- UUIDv7, 32 hex digits
    user_id    TEXT    NOT NULL,
    kind       TEXT    NOT NULL,                 -- subscription, purchase, tip
    creator_id TEXT    NOT NULL,
    post_id    TEXT,
    level      INTEGER,
    amount     TEXT    NOT NULL,                 -- a decimal number as text, so that no digit is lost
    currency   TEXT    NOT NULL,
    reference  TEXT,                             -- what the provider calls it
    status     TEXT    NOT NULL,                 -- pending, confirmed, failed, refunded
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL
) WITHOUT ROWID;

CREATE INDEX payments_of_user ON payments (user_id, id);
CREATE INDEX payments_to_creator ON payments (creator_id, updated_at) WHERE status = 'confirmed';
