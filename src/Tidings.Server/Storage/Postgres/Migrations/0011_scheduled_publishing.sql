-- Scheduled posts, and where each is published. All times are unix milliseconds, UTC.
ALTER TABLE posts ADD COLUMN scheduled_at bigint;            -- the instant of local_time in time_zone by the rules of tzdb
ALTER TABLE posts ADD COLUMN local_time text COLLATE "C";    -- as the author sees it, such as 2026-11-24T09:00:00
ALTER TABLE posts ADD COLUMN time_zone text COLLATE "C";     -- an IANA name
ALTER TABLE posts ADD COLUMN overlap text COLLATE "C";       -- earlier or later: which of two, when clocks go back
ALTER TABLE posts ADD COLUMN tzdb text COLLATE "C";          -- the version of the rules
ALTER TABLE posts ADD COLUMN grace bigint;                   -- how late it may be published, in milliseconds
ALTER TABLE posts ADD COLUMN revision bigint NOT NULL DEFAULT 0; -- rises when it is edited before it is published
ALTER TABLE posts ADD COLUMN publishing text COLLATE "C";    -- what its targets are together; NULL without targets

CREATE INDEX posts_scheduled ON posts (scheduled_at) WHERE status = 'scheduled' AND deleted = 0;

-- One account on one platform to which a post is published, or Tidings' own feed.
CREATE TABLE targets (
    id               text COLLATE "C" NOT NULL PRIMARY KEY,  -- UUIDv7, 32 hex digits: rises in the order in which they were asked for
    post_id          text COLLATE "C" NOT NULL,
    user_id          text COLLATE "C" NOT NULL,
    account_id       text COLLATE "C" NOT NULL,              -- '' for the own feed
    platform         text COLLATE "C" NOT NULL,              -- tidings for the own feed
    lane             text COLLATE "C" NOT NULL,              -- what is published one after the other: the account, or the user's own feed
    state            text COLLATE "C" NOT NULL,              -- pending, claimed, sending, succeeded, retry_wait, unknown, failed, skipped, canceled
    due_at           bigint NOT NULL,
    next_at          bigint NOT NULL,                        -- no attempt before it
    miss_at          bigint NOT NULL,                        -- no first attempt after it
    give_up_at       bigint NOT NULL,                        -- no attempt after it
    revision         bigint NOT NULL,
    idempotency_key  text COLLATE "C" NOT NULL,              -- the same in all attempts of this revision
    attempt          bigint NOT NULL,                        -- rises with each claim: who has an older one writes no more
    tries            bigint NOT NULL,                        -- how many have begun since it was asked for
    owner            text COLLATE "C",                       -- the node that has claimed it
    lease_until      bigint,
    first_attempt_at bigint,                                 -- of this key
    doubt            bigint NOT NULL,                        -- 0 none, 1 an attempt may have posted it, 2 so that it is looked for before it is sent again
    progress         text COLLATE "C",                       -- what the connector wants to know in the next attempt
    external_id      text COLLATE "C",
    url              text COLLATE "C",
    reason           text COLLATE "C",
    updated_at       bigint NOT NULL
);

CREATE INDEX targets_of_post ON targets (post_id);
CREATE INDEX targets_of_user ON targets (user_id, state, id);
CREATE INDEX targets_due ON targets (platform, next_at, id) WHERE state IN ('pending', 'retry_wait');
CREATE INDEX targets_waiting ON targets (lane, due_at, id) WHERE state IN ('pending', 'retry_wait');
CREATE INDEX targets_leased ON targets (lease_until) WHERE state IN ('claimed', 'sending');

-- Two posts of an account are never on their way at once.
CREATE UNIQUE INDEX targets_one_at_a_time ON targets (lane) WHERE state IN ('claimed', 'sending');

-- Each is committed before its first byte is sent. Without an outcome nobody knows whether it was posted.
CREATE TABLE attempts (
    target_id       text COLLATE "C" NOT NULL,
    number          bigint NOT NULL,                         -- the target's attempt
    idempotency_key text COLLATE "C" NOT NULL,
    payload_hash    text COLLATE "C" NOT NULL,
    owner           text COLLATE "C" NOT NULL,
    started_at      bigint NOT NULL,
    finished_at     bigint,
    outcome         text COLLATE "C",                        -- sent, not_sent, rate_limited, auth_refused, account_gone, rejected, unknown, found, absent
    status          bigint,                                  -- of HTTP
    body            text COLLATE "C",                        -- the beginning of the answer, without secrets
    reason          text COLLATE "C",
    latency         bigint,                                  -- milliseconds
    PRIMARY KEY (target_id, number)
);
