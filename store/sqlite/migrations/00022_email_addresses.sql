-- The addresses that users verify, as django-allauth's account_emailaddress has them. An id is in the
-- keys of mails, and never used again. Those of Django's are below 2^60: a key that it has made for one
-- address must not be good for another that was added here.

-- +goose Up
CREATE TABLE email_addresses (
    id       INTEGER PRIMARY KEY AUTOINCREMENT,
    user_id  INTEGER NOT NULL REFERENCES users ON DELETE CASCADE,
    email    TEXT    NOT NULL,
    verified INTEGER NOT NULL,
    UNIQUE (user_id, email)
) STRICT;

INSERT INTO sqlite_sequence (name, seq) VALUES ('email_addresses', 1152921504606846975);

CREATE INDEX email_addresses_lower ON email_addresses (lower(email));
