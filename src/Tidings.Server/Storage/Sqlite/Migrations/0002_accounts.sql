-- Users of this server and of host apps, and the sessions of those who signed in here. Instants are Unix milliseconds.
CREATE TABLE users (
    id              TEXT    NOT NULL PRIMARY KEY,   -- UUIDv7 in hex for local users, the token's subject for a host app's
    nickname        TEXT    NOT NULL,
    nickname_key    TEXT    NOT NULL UNIQUE,        -- in lower case
    full_name       TEXT    NOT NULL DEFAULT '',
    avatar          TEXT,
    email           TEXT,
    email_key       TEXT    UNIQUE,                 -- in lower case
    password_hash   TEXT,                           -- null: signs in elsewhere
    is_creator      INTEGER NOT NULL DEFAULT 0,
    posts_count     INTEGER NOT NULL DEFAULT 0,
    followers_count INTEGER NOT NULL DEFAULT 0,
    created_at      INTEGER NOT NULL
) WITHOUT ROWID;

CREATE TABLE sessions (
    id           TEXT    NOT NULL PRIMARY KEY,      -- public: the claim sid
    token_hash   BLOB    NOT NULL UNIQUE,           -- SHA-256 of the cookie's value, which is kept nowhere
    user_id      TEXT    NOT NULL,
    created_at   INTEGER NOT NULL,
    expires_at   INTEGER NOT NULL,
    last_seen_at INTEGER NOT NULL
) WITHOUT ROWID;

CREATE INDEX sessions_of_user ON sessions (user_id, created_at);
CREATE INDEX sessions_by_expiry ON sessions (expires_at);
