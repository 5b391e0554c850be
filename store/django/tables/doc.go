// Package django knows how Django and its token apps keep users and tokens: in
// the tables of a SQLite file, a PostgreSQL, MySQL or MariaDB database, and in the
// JSON that `manage.py dumpdata` writes. It reads what is there, in any version's
// form, and writes it back.
//
// Which table and column is what comes from the database's catalogue (catalogue.go
// and a file for each kind of database), never from a guess: shape.go finds users
// and tokens, mapping.go the columns, and what isn't certain is an error that says
// what to give. Tables are read by the names of their columns, since their order depends on
// the migrations a database has had. All values are read as text and decoded
// here, so that every kind of source has one decoder.
package tables
