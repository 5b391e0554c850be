// Package live is a store on Django's own tables, so that the Django application and
// this server work side by side on one database: each sees the other's users, passwords
// and tokens at once, and a logout at one is a logout at the other.
//
// What Django has no columns for is kept in auxiliary tables (auxtables.go).
package live
