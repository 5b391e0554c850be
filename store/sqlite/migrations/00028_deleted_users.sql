-- The ids of users who were deleted here. An import gives them to nobody else: applications may know users by them.

-- +goose Up
CREATE TABLE deleted_users (
    user_id INTEGER PRIMARY KEY
) STRICT;
