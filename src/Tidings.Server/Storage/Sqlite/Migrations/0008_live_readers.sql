-- What live connections read whose clients can't say themselves where they were, so that it is known after a crash.
CREATE TABLE live_readers (
    connection_id    TEXT PRIMARY KEY,
    node             TEXT    NOT NULL,
    user_id          TEXT    NOT NULL,
    protocol         TEXT    NOT NULL,
    channels         TEXT    NOT NULL,         -- a JSON array of names
    lost_at          INTEGER,                  -- Unix milliseconds; null while it is there
    received_through INTEGER NOT NULL          -- what was sent until then it has received, or was not for it
) WITHOUT ROWID;

CREATE INDEX live_readers_by_user ON live_readers (user_id);

-- A node without such connections does not write here.
CREATE TABLE reader_nodes (
    node    TEXT PRIMARY KEY,
    seen_at INTEGER NOT NULL                   -- Unix milliseconds
) WITHOUT ROWID;
