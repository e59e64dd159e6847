-- What a creator's posts got and who came to follow, by day (UTC): what was taken back counts against the day on which it was.
CREATE TABLE creator_days (
    creator_id TEXT    NOT NULL,
    day        INTEGER NOT NULL,                          -- days since 1970
    likes      INTEGER NOT NULL,
    comments   INTEGER NOT NULL,
    followers  INTEGER NOT NULL,
    is_told    INTEGER NOT NULL,                          -- whether its creator's clients know these figures
    PRIMARY KEY (creator_id, day)
) WITHOUT ROWID;

CREATE INDEX creator_days_untold ON creator_days (creator_id) WHERE is_told = 0;
CREATE INDEX payments_of_post ON payments (post_id) WHERE status = 'confirmed' AND post_id IS NOT NULL;

INSERT INTO creator_days (creator_id, day, likes, comments, followers, is_told)
SELECT creator_id, day, SUM(likes), SUM(comments), SUM(followers), 1
FROM (
    SELECT p.author_id AS creator_id, l.created_at / 86400000 AS day, 1 AS likes, 0 AS comments, 0 AS followers
    FROM post_likes l JOIN posts p ON p.id = l.post_id WHERE p.deleted = 0
    UNION ALL
    SELECT p.author_id, c.created_at / 86400000, 0, 1, 0 FROM comments c JOIN posts p ON p.id = c.post_id WHERE c.deleted = 0 AND p.deleted = 0
    UNION ALL
    SELECT creator_id, created_at / 86400000, 0, 0, 1 FROM follows
) AS happened
GROUP BY creator_id, day;
