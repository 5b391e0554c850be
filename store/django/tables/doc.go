// Package tables knows how Django and its token apps keep users and tokens: in the
// tables of a SQLite file, of a PostgreSQL, MySQL or MariaDB database, and in the JSON
// that `manage.py dumpdata` writes. It reads the schema of any version, and writes it
// back.
//
// The role of each table and column is derived from the database's catalog (table.go
// and a file for each kind of database) and never guessed: shape.go finds users and
// tokens, mapping.go the columns, and anything ambiguous is an error that says which
// option settles it. Tables are read by column name, since the order of their columns
// depends on the migrations a database has had. All values are read as text and decoded
// here, so that every kind of source shares one decoder.
package tables
