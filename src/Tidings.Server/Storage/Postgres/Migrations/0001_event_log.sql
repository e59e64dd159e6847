-- The event log: outbox, history and truth in one. Texts are compared byte for byte, whatever the database's own order is.

CREATE TABLE meta (
    key   text COLLATE "C" NOT NULL PRIMARY KEY,
    value bigint NOT NULL
);

-- log_generation: which life of the log this is; another one after a restore, because offsets are given out anew then. 0 begins a new
-- one at the next start. The others tell whether the database is the one that it was.
INSERT INTO meta (key, value) VALUES ('log_generation', 0), ('system_identifier', 0), ('timeline', 0), ('log_table', 0);

-- One row per channel that ever had an event; it is never deleted, so offsets are never given out twice. Its lock orders the channel's
-- commits. Half of each page is left free: rows are written over and over in their own page, and no index has to follow.
CREATE TABLE channels (
    id              bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name            text COLLATE "C" NOT NULL UNIQUE,
    epoch           bigint NOT NULL,
    last_offset     bigint NOT NULL,
    last_place      bigint NOT NULL,
    trimmed_through bigint NOT NULL DEFAULT 0,   -- the offset of the newest event that was given up
    trimmed_place   bigint NOT NULL DEFAULT 0    -- and its place
) WITH (fillfactor = 50, autovacuum_vacuum_scale_factor = 0.05, autovacuum_vacuum_threshold = 500, autovacuum_vacuum_cost_delay = 0);

-- xid: the transaction that appended the row. place: the same, but never below the place of the channel's event before, so that in a
-- channel places rise with the offsets. A transaction that is still open has a place above every complete one: pg_snapshot_xmin.
CREATE TABLE events (
    seq                 bigint GENERATED ALWAYS AS IDENTITY,
    xid                 bigint NOT NULL,
    place               bigint NOT NULL,
    channel_id          bigint NOT NULL,
    "offset"            bigint NOT NULL,
    created_at          bigint NOT NULL,         -- Unix milliseconds
    id                  text COLLATE "C" NOT NULL,
    type                text COLLATE "C" NOT NULL,
    payload             bytea NOT NULL,
    full_payload        bytea,
    full_needs          text COLLATE "C",
    effect              bigint,
    effect_target       text COLLATE "C",
    excluded_connection text COLLATE "C",
    PRIMARY KEY (channel_id, "offset")
) WITH (autovacuum_vacuum_scale_factor = 0.05, autovacuum_vacuum_insert_scale_factor = 0.1);

CREATE INDEX events_by_place ON events (place, xid);

-- Where the log stands: every transaction up to there has ended, so what it appended came before whoever asks in a transaction.
CREATE VIEW log_place AS SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint - 1 AS place;

-- SQLite's, for a list of texts as JSON.
CREATE FUNCTION json_each(list text) RETURNS TABLE (value text)
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE ROWS 20
AS $$ SELECT json_array_elements_text(list::json) $$;
