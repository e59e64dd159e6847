-- What lets the same statements run on PostgreSQL as well.

-- Where the log stands: what was appended up to there came before whoever asks in a transaction.
CREATE VIEW log_place AS SELECT coalesce(max(seq), 0) AS place FROM events;

DROP INDEX users_by_full_name;
CREATE INDEX users_by_full_name ON users (lower(full_name));

-- Several rows, so that posts that are only counted do not wait for one another.
DROP TABLE pending_public_posts;
CREATE TABLE pending_public_posts (
    id    INTEGER NOT NULL PRIMARY KEY,
    posts INTEGER NOT NULL
);

INSERT INTO pending_public_posts (id, posts)
VALUES (0, 0), (1, 0), (2, 0), (3, 0), (4, 0), (5, 0), (6, 0), (7, 0), (8, 0), (9, 0), (10, 0), (11, 0), (12, 0), (13, 0), (14, 0), (15, 0);
