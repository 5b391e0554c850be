// Package hashing checks and makes passwords for the engine: Django's formats, a pool that
// limits how many are computed at a time, and the costs that logins with unknown
// usernames have, so that their timing does not tell which usernames exist.
package hashing
