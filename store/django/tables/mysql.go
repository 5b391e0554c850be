package tables

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"math"
	"net"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	mysqldriver "github.com/go-sql-driver/mysql"
)

// mysql is the dialect of a MySQL or MariaDB database. Identifiers are quoted as in
// standard SQL (ANSI_QUOTES).
type mysql struct{}

var errMySQLDSN = errors.New("the DSN is no URL of the form mysql://USER:PASSWORD@HOST/DATABASE; in a password, / ? # @ : and % are written %2F %3F %23 %40 %3A and %25")

// mysqlMode makes the server refuse what a column can't hold. With other settings it
// might truncate a text or replace characters by question marks.
const mysqlMode = "'ANSI_QUOTES,STRICT_ALL_TABLES,NO_ENGINE_SUBSTITUTION'"

// mysqlConfig converts a URL to the driver's configuration. tls is the only parameter
// allowed: the driver would run others as SQL.
func mysqlConfig(dsn string) (*mysqldriver.Config, error) {
	u, err := url.Parse(dsn)
	if err != nil {
		return nil, errMySQLDSN // the error would show the password
	}
	c := mysqldriver.NewConfig()
	c.Net, c.Addr, c.DBName = "tcp", u.Host, strings.Trim(u.Path, "/")
	// An unescaped password may end up in any part of the URL.
	if u.Hostname() == "" || c.DBName == "" || strings.Contains(c.DBName, "/") || u.Fragment != "" || strings.Contains(u.EscapedPath()+u.RawQuery, "@") {
		return nil, errMySQLDSN
	}
	if u.Port() == "" {
		c.Addr = net.JoinHostPort(u.Hostname(), "3306")
	}
	c.User = u.User.Username()
	c.Passwd, _ = u.User.Password()
	for name, values := range u.Query() {
		if name != "tls" {
			return nil, fmt.Errorf("the DSN has a parameter %q: only tls is known (true, skip-verify, preferred)", name)
		}
		// The driver's error for another value would show it.
		if c.TLSConfig = values[0]; !slices.Contains([]string{"true", "false", "skip-verify", "preferred"}, c.TLSConfig) {
			return nil, errors.New("the parameter tls of the DSN is none of true, false, skip-verify and preferred")
		}
	}
	c.Logger = &mysqldriver.NopLogger{}
	c.ClientFoundRows = true
	c.Params = map[string]string{"sql_mode": mysqlMode, "time_zone": "'+00:00'"}
	return c, c.Apply(mysqldriver.Charset("utf8mb4", ""))
}

func (mysql) open(dsn string, _ bool) (*sql.DB, error) {
	c, err := mysqlConfig(dsn)
	if err != nil {
		return nil, err
	}
	connector, err := mysqldriver.NewConnector(c)
	if err != nil {
		return nil, err
	}
	return sql.OpenDB(mysqlConnector{connector}), nil
}

// mysqlConnector limits how long the handshake of a connection may take.
type mysqlConnector struct{ driver.Connector }

// Connect implements driver.Connector.
func (c mysqlConnector) Connect(ctx context.Context) (driver.Conn, error) {
	limited, cancel := context.WithTimeout(ctx, connectTimeout)
	defer cancel()
	conn, err := c.Connector.Connect(limited)
	if err != nil && ctx.Err() == nil && limited.Err() != nil {
		return nil, fmt.Errorf("the server has not answered within %v: is it one of MySQL or MariaDB?", connectTimeout)
	}
	return conn, err
}

func (mysql) identity(dsn string) string {
	c, err := mysqlConfig(dsn)
	if err != nil {
		return "mysql"
	}
	u, _ := url.Parse(dsn) // open has parsed it
	return "mysql://" + u.Host + "/" + c.DBName
}

func (mysql) begin(ctx context.Context, db *sql.DB) (*sql.Tx, error) {
	return db.BeginTx(ctx, &sql.TxOptions{ReadOnly: true})
}

func (mysql) beginWriting(context.Context, *sql.Tx) error { return nil }

func (mysql) catalogue(ctx context.Context, q queryer) (c catalogue, err error) {
	var r catalogueRows
	for _, read := range []struct {
		rows  *[][]string
		query string
	}{
		{&r.tables, `SELECT '', table_name, table_type = 'VIEW', 0, 0 FROM information_schema.tables
			WHERE table_schema = database() AND table_type IN ('BASE TABLE', 'VIEW', 'SYSTEM VERSIONED') ORDER BY table_name`},
		{&r.columns, `SELECT '', table_name, column_name, CASE WHEN column_type LIKE 'tinyint(1)%' THEN 'bool' ELSE column_type END, is_nullable = 'YES',
			is_nullable = 'NO' AND column_default IS NOT NULL OR extra LIKE '%auto_increment%', coalesce(generation_expression, '') <> '',
			coalesce(collation_name, '') LIKE '%\_ci' FROM information_schema.columns
			WHERE table_schema = database() ORDER BY table_name, ordinal_position`},
		{&r.keys, `SELECT '', table_name, column_name FROM information_schema.statistics
			WHERE table_schema = database() AND index_name = 'PRIMARY' ORDER BY table_name, seq_in_index`},
		{&r.unique, `SELECT '', table_name, index_name, column_name FROM information_schema.statistics s
			WHERE table_schema = database() AND index_name <> 'PRIMARY' AND non_unique = 0 AND NOT EXISTS (SELECT 1 FROM information_schema.statistics p
				WHERE p.table_schema = s.table_schema AND p.table_name = s.table_name AND p.index_name = s.index_name AND (p.sub_part IS NOT NULL OR p.column_name IS NULL))
			ORDER BY table_name, index_name, seq_in_index`},
		{&r.references, `SELECT '', table_name, constraint_name, column_name,
			CASE WHEN referenced_table_schema = database() THEN '' ELSE referenced_table_schema END, referenced_table_name, referenced_column_name
			FROM information_schema.key_column_usage WHERE table_schema = database() AND referenced_table_name IS NOT NULL
			ORDER BY table_name, constraint_name, ordinal_position`},
	} {
		if *read.rows, err = textRows(ctx, q, read.query); err != nil {
			return c, err
		}
	}
	return r.catalogue(nil), nil
}

func (mysql) Quote(name string) string { return quote(name) }

// TextExpr leaves most columns uncast: the driver returns their values as text. A CAST
// would replace bytes that are not text by question marks, and reformat numbers. Bits
// are bytes to the driver.
func (mysql) TextExpr(c Column, quoted string) string {
	switch {
	case c.Kind == "bit":
		return quoted + " + 0"
	case strings.HasPrefix(c.Kind, "float"), strings.HasPrefix(c.Kind, "double"):
		return "concat(" + quoted + ")"
	}
	return quoted
}

func (mysql) Placeholder(int) string { return "?" }
func (mysql) rowID(Table) string     { return "" }

// Encode formats values as django/db/backends/mysql/operations.py does.
func (mysql) Encode(v any, zone *time.Location) any {
	if t, ok := v.(time.Time); ok {
		return t.In(zone).Format("2006-01-02 15:04:05.000000")
	}
	return v
}

// nextID is in the text of a table whose rows get an ID from the database.
var nextID = regexp.MustCompile(` AUTO_INCREMENT=([0-9]+)`)

// moveIDs has nothing to move: AUTO_INCREMENT does. What information_schema says of that may be a day old.
func (mysql) moveIDs(ctx context.Context, tx *sql.Tx, t Table, _ string) (given int64, err error) {
	if t.View {
		return 0, nil
	}
	var name, text string
	if err = tx.QueryRowContext(ctx, `SHOW CREATE TABLE `+quote(t.Name)).Scan(&name, &text); err != nil {
		return 0, err
	}
	options := text[strings.LastIndexByte(text, ')')+1:]
	if m := nextID.FindStringSubmatch(options); m != nil {
		if given, err = strconv.ParseInt(m[1], 10, 64); err != nil {
			return math.MaxInt64, nil // it is full
		}
		given--
	}
	return given, nil
}

func (mysql) LockUsers() string  { return " FOR UPDATE" }
func (mysql) LockTokens() string { return " FOR UPDATE" }
func (mysql) SerialType() string { return "BIGINT AUTO_INCREMENT PRIMARY KEY" }

// mysqlCode returns the number of a server's error.
func mysqlCode(err error) uint16 {
	var e *mysqldriver.MySQLError
	if errors.As(err, &e) {
		return e.Number
	}
	return 0
}

func (mysql) IsDuplicate(err error) bool { return mysqlCode(err) == 1062 }

// incomparable reports whether a column was compared with a text that has characters
// its character set lacks.
func incomparable(err error) bool {
	return slices.Contains([]uint16{1267, 1270, 1271}, mysqlCode(err))
}

// withoutValue removes from a server's error for a duplicate row the value that it
// shows, which may be a token.
func withoutValue(err error) error {
	if mysqlCode(err) != 1062 {
		return err
	}
	text := err.Error()
	return fmt.Errorf("another row has the same value in the key %s", text[strings.LastIndex(text, " ")+1:])
}

func (mysql) advise(err error) error {
	switch mysqlCode(err) {
	case 1142, 1143:
		return fmt.Errorf("%w: GRANT SELECT to the user", err)
	}
	return err
}
