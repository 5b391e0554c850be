-- The addresses that users verify, as django-allauth's account_emailaddress has them. An id is in the
-- keys of mails, and never used again.

-- +goose Up
CREATE TABLE email_addresses (
    id       INTEGER PRIMARY KEY AUTOINCREMENT,
    user_id  INTEGER NOT NULL REFERENCES users ON DELETE CASCADE,
    email    TEXT    NOT NULL,
    verified INTEGER NOT NULL,
    UNIQUE (user_id, email)
) STRICT;

CREATE INDEX email_addresses_lower ON email_addresses (lower(email));
