-- What live connections read whose clients can't say themselves where they were, so that it is known after a node's crash. Not after the
-- database's own: then the clients are told nothing, as by servers that remember nothing.
CREATE UNLOGGED TABLE live_readers (
    connection_id    text COLLATE "C" NOT NULL PRIMARY KEY,
    node             text COLLATE "C" NOT NULL,
    user_id          text COLLATE "C" NOT NULL,
    protocol         text COLLATE "C" NOT NULL,
    channels         text             NOT NULL,         -- a JSON array of names
    lost_at          bigint,                            -- Unix milliseconds; null while it is there
    received_through bigint           NOT NULL          -- what was sent until then it has received, or was not for it
);

CREATE INDEX live_readers_by_user ON live_readers (user_id);

-- A node without such connections does not write here.
CREATE UNLOGGED TABLE reader_nodes (
    node    text COLLATE "C" NOT NULL PRIMARY KEY,
    seen_at bigint           NOT NULL                   -- Unix milliseconds
);
