-- What was issued up to a moment opens nothing any more. An empty user_id stands for everybody, an empty channel for live connections.
CREATE TABLE revocations (
    user_id TEXT NOT NULL,
    channel TEXT NOT NULL,
    revoked_at INTEGER NOT NULL, -- unix milliseconds
    PRIMARY KEY (user_id, channel)
) WITHOUT ROWID;

CREATE INDEX revocations_by_time ON revocations (revoked_at);
