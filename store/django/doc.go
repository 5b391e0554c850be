// Package django knows how Django and its token apps keep users and tokens: in
// the tables of a SQLite file or a PostgreSQL database, and in the JSON that
// `manage.py dumpdata` writes. It reads what is there, in any version's form,
// and writes it back.
//
// Tables are read by the names of their columns, since their order depends on
// the migrations a database has had. All values are read as text and decoded
// here, so that every kind of source has one decoder.
package django
