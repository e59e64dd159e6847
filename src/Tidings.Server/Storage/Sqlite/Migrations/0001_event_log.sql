-- The event log: outbox, history and truth in one. Only the writer gives out places in it.

CREATE TABLE meta (
    key   TEXT PRIMARY KEY,
    value INTEGER NOT NULL
) WITHOUT ROWID;

-- log_generation: which life of the log this is; another one after a restore, because offsets are given out anew then.
-- carried_through: every event up to this seq has been handed to the publisher.
INSERT INTO meta (key, value) VALUES ('log_generation', abs(random() % 4294967295) + 1), ('carried_through', 0);

-- One row per channel that ever had an event; it is never deleted, so offsets are never given out twice.
CREATE TABLE channels (
    id              INTEGER PRIMARY KEY,
    name            TEXT    NOT NULL UNIQUE,
    epoch           INTEGER NOT NULL,
    last_offset     INTEGER NOT NULL,
    last_seq        INTEGER NOT NULL,
    trimmed_through INTEGER NOT NULL DEFAULT 0,   -- the offset of the newest event that was given up
    trimmed_seq     INTEGER NOT NULL DEFAULT 0    -- and its seq
);

-- The writer counts seq itself and without holes; AUTOINCREMENT would write a second row per event.
CREATE TABLE events (
    seq                 INTEGER PRIMARY KEY,
    channel_id          INTEGER NOT NULL,
    offset              INTEGER NOT NULL,
    created_at          INTEGER NOT NULL,         -- Unix milliseconds
    id                  TEXT    NOT NULL,
    type                TEXT    NOT NULL,
    payload             BLOB    NOT NULL,
    full_payload        BLOB,
    full_needs          TEXT,
    effect              INTEGER,
    effect_target       TEXT,
    excluded_connection TEXT
);

CREATE UNIQUE INDEX events_by_channel ON events (channel_id, offset);
