package djangotest

// The tables of Django 3.2, Django REST framework 3.14, knox 5 and django-allauth 0.57, in words that
// SQLite and PostgreSQL both take. ID is the type of ids, TIME that of times.
const (
	UsersDDL = `CREATE TABLE auth_user (
		id ID, password varchar(128) NOT NULL, last_login TIME NULL, is_superuser boolean NOT NULL,
		username varchar(150) NOT NULL UNIQUE, last_name varchar(150) NOT NULL, email varchar(254) NOT NULL,
		is_staff boolean NOT NULL, is_active boolean NOT NULL, date_joined TIME NOT NULL, first_name varchar(150) NOT NULL)`
	AuthtokenDDL = `CREATE TABLE authtoken_token (
		"key" varchar(40) NOT NULL PRIMARY KEY, created TIME NOT NULL,
		user_id integer NOT NULL UNIQUE REFERENCES auth_user (id) DEFERRABLE INITIALLY DEFERRED)`
	// AddressesDDL and ConfirmationsDDL are those of django-allauth 0.57.
	AddressesDDL = `CREATE TABLE account_emailaddress (
		id ID, email varchar(254) NOT NULL, verified boolean NOT NULL, "primary" boolean NOT NULL,
		user_id integer NOT NULL REFERENCES auth_user (id) DEFERRABLE INITIALLY DEFERRED, UNIQUE (user_id, email))`
	ConfirmationsDDL = `CREATE TABLE account_emailconfirmation (
		id ID, created TIME NOT NULL, sent TIME NULL, "key" varchar(64) NOT NULL UNIQUE,
		email_address_id integer NOT NULL REFERENCES account_emailaddress (id) DEFERRABLE INITIALLY DEFERRED)`
	KnoxDDL = `CREATE TABLE knox_authtoken (
		digest varchar(128) NOT NULL PRIMARY KEY, created TIME NOT NULL, expiry TIME NULL, token_key varchar(25) NOT NULL,
		user_id integer NOT NULL REFERENCES auth_user (id) DEFERRABLE INITIALLY DEFERRED)`
)
