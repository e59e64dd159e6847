-- The keys of Data Protection, wrapped, where nodes share them.
CREATE TABLE data_protection_keys (
    name       TEXT    NOT NULL PRIMARY KEY,
    xml        TEXT    NOT NULL,
    created_at INTEGER NOT NULL
) WITHOUT ROWID;
