-- Comments, notifications and conversations. All times are unix milliseconds, UTC.

-- A thread has one level: a reply's parent has none. place is the post's version when the comment was written, which nobody else has.
CREATE TABLE comments (
    id              text COLLATE "C" NOT NULL PRIMARY KEY,   -- UUIDv7, 32 hex digits
    post_id         text COLLATE "C" NOT NULL,
    parent_id       text COLLATE "C" NOT NULL,   -- '' for none
    author_id       text COLLATE "C" NOT NULL,
    place           bigint NOT NULL,
    version         bigint NOT NULL,   -- the post's when it last changed
    created_at      bigint NOT NULL,
    updated_at      bigint NOT NULL,
    deleted         bigint NOT NULL,   -- then it says nothing, and is shown only for its replies
    replies_count   bigint NOT NULL,
    content         text COLLATE "C" NOT NULL
);

CREATE UNIQUE INDEX comments_by_post ON comments (post_id, parent_id, place);
CREATE INDEX comments_by_author ON comments (author_id);

-- What a user's notifications have in common. Its row is locked first, so that places and versions rise one by one.
CREATE TABLE notification_boxes (
    user_id         text COLLATE "C" NOT NULL PRIMARY KEY,
    last_place      bigint NOT NULL,
    unread          bigint NOT NULL,
    version         bigint NOT NULL,   -- rises with each change
    posts_seen_at   bigint NOT NULL   -- posts of creators up to here need no mention
) WITH (fillfactor = 50);

CREATE TABLE notifications (
    id              text COLLATE "C" NOT NULL PRIMARY KEY,
    user_id         text COLLATE "C" NOT NULL,
    place           bigint NOT NULL,
    group_key       text COLLATE "C",   -- what it is about, if one row stands for all of it
    type            text COLLATE "C" NOT NULL,
    title           text COLLATE "C" NOT NULL,
    message         text COLLATE "C" NOT NULL,
    data            text COLLATE "C" NOT NULL,   -- a JSON object
    is_read         bigint NOT NULL,
    created_at      bigint NOT NULL
);

CREATE UNIQUE INDEX notifications_of_user ON notifications (user_id, place);
CREATE UNIQUE INDEX notifications_by_group ON notifications (user_id, group_key) WHERE group_key IS NOT NULL;

-- What a user does not want to hear of.
CREATE TABLE muted_notifications (
    user_id         text COLLATE "C" NOT NULL,
    type            text COLLATE "C" NOT NULL,
    PRIMARY KEY (user_id, type)
);

-- Posts that were liked and whose authors have not been told yet, with the latest who did as a JSON array, the latest last.
CREATE TABLE pending_like_notices (
    post_id text COLLATE "C" NOT NULL PRIMARY KEY,
    likers  text COLLATE "C" NOT NULL
);

CREATE TABLE conversations (
    id              text COLLATE "C" NOT NULL PRIMARY KEY,
    kind            text COLLATE "C" NOT NULL,   -- direct, group
    pair            text COLLATE "C" UNIQUE,   -- the two members of a direct one, in order
    title           text COLLATE "C" NOT NULL,
    created_by      text COLLATE "C" NOT NULL,
    created_at      bigint NOT NULL,
    last_place      bigint NOT NULL,   -- of its messages
    active_at       bigint NOT NULL   -- when the latest was written
) WITH (fillfactor = 70);

CREATE TABLE conversation_members (
    conversation_id text COLLATE "C" NOT NULL,
    user_id         text COLLATE "C" NOT NULL,
    joined_at       bigint NOT NULL,
    read_place      bigint NOT NULL,   -- this member has read up to here
    PRIMARY KEY (conversation_id, user_id)
);

CREATE INDEX conversations_of_user ON conversation_members (user_id);

CREATE TABLE messages (
    id              text COLLATE "C" NOT NULL PRIMARY KEY,
    conversation_id text COLLATE "C" NOT NULL,
    place           bigint NOT NULL,   -- 1, 2, 3 …
    author_id       text COLLATE "C" NOT NULL,
    created_at      bigint NOT NULL,
    content         text COLLATE "C" NOT NULL
);

CREATE UNIQUE INDEX messages_by_conversation ON messages (conversation_id, place);
CREATE INDEX messages_by_author ON messages (author_id);
