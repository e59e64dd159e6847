-- Whether a user wants to be seen in presence:online.
ALTER TABLE users ADD COLUMN show_online INTEGER NOT NULL DEFAULT 1;
