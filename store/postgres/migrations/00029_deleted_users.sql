-- The ids of users who were deleted here. An import gives them to nobody else: applications may know users by them.

-- +goose Up
CREATE TABLE IF NOT EXISTS deleted_users (
    user_id bigint PRIMARY KEY
);
