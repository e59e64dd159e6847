-- Users of this server and of host apps, and the sessions of those who signed in here. Instants are Unix milliseconds, flags are 0 and 1.
CREATE TABLE users (
    id              text COLLATE "C" NOT NULL PRIMARY KEY,   -- UUIDv7 in hex for local users, the token's subject for a host app's
    nickname        text COLLATE "C" NOT NULL,
    nickname_key    text COLLATE "C" NOT NULL UNIQUE,        -- in lower case
    full_name       text COLLATE "C" NOT NULL DEFAULT '',
    avatar          text COLLATE "C",
    email           text COLLATE "C",
    email_key       text COLLATE "C" UNIQUE,                 -- in lower case
    password_hash   text COLLATE "C",                        -- null: signs in elsewhere
    is_creator      bigint NOT NULL DEFAULT 0,
    posts_count     bigint NOT NULL DEFAULT 0,
    followers_count bigint NOT NULL DEFAULT 0,
    created_at      bigint NOT NULL,
    show_online     bigint NOT NULL DEFAULT 1                -- whether to be seen in presence:online
) WITH (fillfactor = 80);

-- For GET /api/creators: names by prefix, and the most followed first.
CREATE INDEX users_by_full_name ON users (lower(full_name));
CREATE INDEX users_by_followers ON users (followers_count, id) WHERE is_creator = 1;

CREATE TABLE sessions (
    id           text COLLATE "C" NOT NULL PRIMARY KEY,      -- public: the claim sid
    token_hash   bytea NOT NULL UNIQUE,                      -- SHA-256 of the cookie's value, which is kept nowhere
    user_id      text COLLATE "C" NOT NULL,
    created_at   bigint NOT NULL,
    expires_at   bigint NOT NULL,
    last_seen_at bigint NOT NULL
);

CREATE INDEX sessions_of_user ON sessions (user_id, created_at);
CREATE INDEX sessions_by_expiry ON sessions (expires_at);

-- What was issued up to a moment opens nothing any more. An empty user_id stands for everybody, an empty channel for live connections.
CREATE TABLE revocations (
    user_id    text COLLATE "C" NOT NULL,
    channel    text COLLATE "C" NOT NULL,
    revoked_at bigint NOT NULL,
    xid        bigint NOT NULL,                              -- the transaction that wrote it: other nodes ask for what is new
    PRIMARY KEY (user_id, channel)
);

CREATE INDEX revocations_by_time ON revocations (revoked_at);
CREATE INDEX revocations_by_xid ON revocations (xid);

CREATE FUNCTION mark_revocation() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.xid := pg_current_xact_id()::text::bigint;
    RETURN NEW;
END $$;

CREATE TRIGGER revocations_are_marked BEFORE INSERT OR UPDATE ON revocations FOR EACH ROW EXECUTE FUNCTION mark_revocation();
