-- The keys of Data Protection that the nodes share, wrapped under a configured key.
CREATE TABLE data_protection_keys (
    name       text COLLATE "C" NOT NULL PRIMARY KEY,
    xml        text COLLATE "C" NOT NULL,
    created_at bigint NOT NULL                               -- Unix milliseconds
);
