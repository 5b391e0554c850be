package tables

import (
	"bufio"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"time"

	"github.com/authcompat/authcompat/core"
)

// DumpWriter writes users and tokens in the format that `manage.py loaddata` reads.
type DumpWriter struct {
	out   *bufio.Writer
	count int
}

// NewDumpWriter begins a dump.
func NewDumpWriter(w io.Writer) *DumpWriter { return &DumpWriter{out: bufio.NewWriter(w)} }

// dumpUser has the fields of auth.user (django/contrib/auth/models.py), but for groups and user_permissions, of which nothing is
// known here: empty ones would take them from users who have some.
type dumpUser struct {
	Password   string    `json:"password"`
	LastLogin  *dumpTime `json:"last_login"`
	Superuser  bool      `json:"is_superuser"`
	Username   string    `json:"username"`
	FirstName  string    `json:"first_name"`
	LastName   string    `json:"last_name"`
	Email      string    `json:"email"`
	Staff      bool      `json:"is_staff"`
	Active     bool      `json:"is_active"`
	DateJoined dumpTime  `json:"date_joined"`
}

// User writes a user as auth.user. Attributes that auth.user has no field for are left
// out.
func (w *DumpWriter) User(a core.Account) error {
	var login *dumpTime
	if !a.LastLogin.IsZero() {
		login = (*dumpTime)(&a.LastLogin)
	}
	return w.object("auth.user", a.ID, dumpUser{
		LastLogin: login,
		Password:  a.PasswordHash, Username: a.Username, Email: a.Email, Active: a.Active,
		FirstName: a.Attributes["first_name"], LastName: a.Attributes["last_name"],
		Staff: a.Attributes["is_staff"] == "true", Superuser: a.Attributes["is_superuser"] == "true",
		DateJoined: dumpTime(a.CreatedAt),
	})
}

// Token writes a token as authtoken.token or as knox.authtoken, depending on the
// format.
func (w *DumpWriter) Token(g core.LegacyFormat, t Token) error {
	fields := map[string]any{"user": t.UserID, "created": dumpTime(t.CreatedAt)}
	if g == core.Authtoken {
		return w.object("authtoken.token", t.Text, fields)
	}
	fields["token_key"], fields["expiry"] = t.Prefix, nil
	if !t.Expires.IsZero() {
		fields["expiry"] = dumpTime(t.Expires)
	}
	if g == core.Knox41 {
		fields["salt"] = hex.EncodeToString(t.Salt)
	}
	return w.object("knox.authtoken", hex.EncodeToString(t.Digest), fields)
}

// Close ends the dump and flushes it.
func (w *DumpWriter) Close() error {
	if w.count == 0 {
		if err := w.out.WriteByte('['); err != nil {
			return err
		}
	}
	if _, err := w.out.WriteString("]\n"); err != nil {
		return err
	}
	return w.out.Flush()
}

func (w *DumpWriter) object(model string, pk, fields any) error {
	text, err := json.Marshal(struct {
		Model  string `json:"model"`
		PK     any    `json:"pk"`
		Fields any    `json:"fields"`
	}{model, pk, fields})
	if err != nil {
		return fmt.Errorf("write %s: %w", model, err)
	}
	before := ",\n"
	if w.count == 0 {
		before = "["
	}
	w.count++
	if _, err := w.out.WriteString(before); err != nil {
		return err
	}
	_, err = w.out.Write(text)
	return err
}

// dumpTime is written with microseconds: loaddata keeps them, although dumpdata itself
// truncates to milliseconds.
type dumpTime time.Time

// MarshalJSON implements json.Marshaler.
func (t dumpTime) MarshalJSON() ([]byte, error) {
	return json.Marshal(time.Time(t).UTC().Format("2006-01-02T15:04:05.999999Z"))
}
