-- Accounts on other platforms to which posts are published. All times are unix milliseconds, UTC.
CREATE TABLE connected_accounts (
    id            TEXT    NOT NULL PRIMARY KEY,           -- UUIDv7, 32 hex digits
    user_id       TEXT    NOT NULL,
    platform      TEXT    NOT NULL,                       -- webhook, bluesky, mastodon, discord, telegram
    external_id   TEXT    NOT NULL,                       -- what the platform calls it: a DID, an account id, a chat
    handle        TEXT    NOT NULL,                       -- what people call it
    base_url      TEXT    NOT NULL,
    status        TEXT    NOT NULL,                       -- connected, needs_reconnect
    reason        TEXT    NOT NULL DEFAULT '',            -- why it needs to be connected again
    secrets       TEXT    NOT NULL,                       -- encrypted for this row and column
    created_at    INTEGER NOT NULL,
    renew_at      INTEGER,                                -- when its tokens are to be renewed; NULL for those that don't expire
    renewal_until INTEGER NOT NULL DEFAULT 0,             -- a node renews it now; it has until then
    version       INTEGER NOT NULL DEFAULT 1
) WITHOUT ROWID;

CREATE UNIQUE INDEX connected_accounts_once ON connected_accounts (user_id, platform, base_url, external_id);
CREATE INDEX connected_accounts_to_renew ON connected_accounts (renew_at) WHERE renew_at IS NOT NULL;
