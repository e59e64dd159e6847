-- Uploaded files, which lie in a folder under their ids. A row without a post is its owner's alone, for a day.
CREATE TABLE media (
    id           text COLLATE "C" NOT NULL PRIMARY KEY,      -- UUIDv7, 32 hex digits
    owner_id     text COLLATE "C" NOT NULL,
    post_id      text COLLATE "C",
    created_at   bigint NOT NULL,                            -- Unix milliseconds
    content_type text COLLATE "C" NOT NULL,
    bytes        bigint NOT NULL,
    width        bigint,
    height       bigint
);

CREATE INDEX media_of_post ON media (post_id) WHERE post_id IS NOT NULL;
CREATE INDEX media_unused ON media (owner_id) WHERE post_id IS NULL;

-- What somebody wants to pay for. It gives nothing until the provider confirms it.
CREATE TABLE payments (
    id         text COLLATE "C" NOT NULL PRIMARY KEY,        -- UUIDv7, 32 hex digits
    user_id    text COLLATE "C" NOT NULL,
    kind       text COLLATE "C" NOT NULL,                    -- subscription, purchase, tip
    creator_id text COLLATE "C" NOT NULL,
    post_id    text COLLATE "C",
    level      bigint,
    amount     text COLLATE "C" NOT NULL,                    -- a decimal number as text, so that no digit is lost
    currency   text COLLATE "C" NOT NULL,
    reference  text COLLATE "C",                             -- what the provider calls it
    status     text COLLATE "C" NOT NULL,                    -- pending, confirmed, failed, refunded
    created_at bigint NOT NULL,
    updated_at bigint NOT NULL
);

CREATE INDEX payments_of_user ON payments (user_id, id);
CREATE INDEX payments_to_creator ON payments (creator_id, updated_at) WHERE status = 'confirmed';
