-- Comments, notifications and conversations. All times are unix milliseconds, UTC.

-- A thread has one level: a reply's parent has none. place is the post's version when the comment was written, which nobody else has.
CREATE TABLE comments (
    id            TEXT    NOT NULL PRIMARY KEY,           -- UUIDv7, 32 hex digits
    post_id       TEXT    NOT NULL,
    parent_id     TEXT    NOT NULL,                       -- '' for none
    author_id     TEXT    NOT NULL,
    place         INTEGER NOT NULL,
    version       INTEGER NOT NULL,                       -- the post's when it last changed
    created_at    INTEGER NOT NULL,
    updated_at    INTEGER NOT NULL,
    deleted       INTEGER NOT NULL,                       -- then it says nothing, and is shown only for its replies
    replies_count INTEGER NOT NULL,
    content       TEXT    NOT NULL
);

CREATE UNIQUE INDEX comments_by_post ON comments (post_id, parent_id, place);
CREATE INDEX comments_by_author ON comments (author_id);

-- What a user's notifications have in common. Its row is locked first, so that places and versions rise one by one.
CREATE TABLE notification_boxes (
    user_id       TEXT    NOT NULL PRIMARY KEY,
    last_place    INTEGER NOT NULL,
    unread        INTEGER NOT NULL,
    version       INTEGER NOT NULL,                       -- rises with each change
    posts_seen_at INTEGER NOT NULL                        -- posts of creators up to here need no mention
) WITHOUT ROWID;

CREATE TABLE notifications (
    id         TEXT    NOT NULL PRIMARY KEY,
    user_id    TEXT    NOT NULL,
    place      INTEGER NOT NULL,
    group_key  TEXT,                                      -- what it is about, if one row stands for all of it
    type       TEXT    NOT NULL,
    title      TEXT    NOT NULL,
    message    TEXT    NOT NULL,
    data       TEXT    NOT NULL,                          -- a JSON object
    is_read    INTEGER NOT NULL,
    created_at INTEGER NOT NULL
);

CREATE UNIQUE INDEX notifications_of_user ON notifications (user_id, place);
CREATE UNIQUE INDEX notifications_by_group ON notifications (user_id, group_key) WHERE group_key IS NOT NULL;

-- What a user does not want to hear of.
CREATE TABLE muted_notifications (
    user_id TEXT NOT NULL,
    type    TEXT NOT NULL,
    PRIMARY KEY (user_id, type)
) WITHOUT ROWID;

-- Posts that were liked and whose authors have not been told yet, with the latest who did as a JSON array, the latest last.
CREATE TABLE pending_like_notices (
    post_id TEXT    NOT NULL PRIMARY KEY,
    likers  TEXT    NOT NULL
) WITHOUT ROWID;

CREATE TABLE conversations (
    id         TEXT    NOT NULL PRIMARY KEY,
    kind       TEXT    NOT NULL,                          -- direct, group
    pair       TEXT    UNIQUE,                            -- the two members of a direct one, in order
    title      TEXT    NOT NULL,
    created_by TEXT    NOT NULL,
    created_at INTEGER NOT NULL,
    last_place INTEGER NOT NULL,                          -- of its messages
    active_at  INTEGER NOT NULL                           -- when the latest was written
);

CREATE TABLE conversation_members (
    conversation_id TEXT    NOT NULL,
    user_id         TEXT    NOT NULL,
    joined_at       INTEGER NOT NULL,
    read_place      INTEGER NOT NULL,                     -- this member has read up to here
    PRIMARY KEY (conversation_id, user_id)
) WITHOUT ROWID;

CREATE INDEX conversations_of_user ON conversation_members (user_id);

CREATE TABLE messages (
    id              TEXT    NOT NULL PRIMARY KEY,
    conversation_id TEXT    NOT NULL,
    place           INTEGER NOT NULL,                     -- 1, 2, 3 …
    author_id       TEXT    NOT NULL,
    created_at      INTEGER NOT NULL,
    content         TEXT    NOT NULL
);

CREATE UNIQUE INDEX messages_by_conversation ON messages (conversation_id, place);
CREATE INDEX messages_by_author ON messages (author_id);
