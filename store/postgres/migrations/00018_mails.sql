-- Mails that wait to be sent, as far as they are made of something, and when users last logged in,
-- which ends the links in them.

-- +goose Up
CREATE TABLE mails (
    id         TEXT    PRIMARY KEY,
    kind       TEXT    NOT NULL,
    profile    TEXT    NOT NULL,
    user_id    BIGINT  NOT NULL, -- 0: nobody's
    created_at BIGINT  NOT NULL,
    due_at     BIGINT  NOT NULL,
    attempts   BIGINT  NOT NULL,
    deliveries BIGINT  NOT NULL
);

CREATE INDEX mails_due ON mails (due_at, id);

ALTER TABLE users ADD COLUMN last_login BIGINT; -- microseconds; NULL: never, or not known
