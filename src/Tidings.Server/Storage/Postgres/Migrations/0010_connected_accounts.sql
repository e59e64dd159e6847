-- Accounts on other platforms to which posts are published. All times are unix milliseconds, UTC.
CREATE TABLE connected_accounts (
    id            text COLLATE "C" NOT NULL PRIMARY KEY,     -- UUIDv7, 32 hex digits
    user_id       text COLLATE "C" NOT NULL,
    platform      text COLLATE "C" NOT NULL,                 -- webhook, bluesky, mastodon, discord, telegram
    external_id   text COLLATE "C" NOT NULL,                 -- what the platform calls it: a DID, an account id, a chat
    handle        text COLLATE "C" NOT NULL,                 -- what people call it
    base_url      text COLLATE "C" NOT NULL,
    status        text COLLATE "C" NOT NULL,                 -- connected, needs_reconnect
    reason        text COLLATE "C" NOT NULL DEFAULT '',      -- why it needs to be connected again
    secrets       text COLLATE "C" NOT NULL,                 -- encrypted for this row and column
    created_at    bigint NOT NULL,
    renew_at      bigint,                                    -- when its tokens are to be renewed; NULL for those that don't expire
    renewal_until bigint NOT NULL DEFAULT 0,                 -- a node renews it now; it has until then
    version       bigint NOT NULL DEFAULT 1
);

CREATE UNIQUE INDEX connected_accounts_once ON connected_accounts (user_id, platform, base_url, external_id);
CREATE INDEX connected_accounts_to_renew ON connected_accounts (renew_at) WHERE renew_at IS NOT NULL;
