package record

import (
	"fmt"
	"strings"

	"github.com/authcompat/authcompat/conformance/internal/fields"
)

// A person is a user of the recorded server, or a name under which nobody could log in.
type person struct {
	name       string // in the file: user1
	username   string
	written    string // the username in the file
	password   string // with which the first login, or the registration, succeeded
	email      string
	known      bool // a login or a registration succeeded
	registered bool // in the recording
	changed    bool // the recording changes what the server knows of the user
	found      bool // the username is looked for everywhere
}

// people finds the users whom requests name.
func (d *Draft) findPeople() {
	d.of = make([]*person, len(d.calls))
	byName := map[string]*person{}
	for i, c := range d.calls {
		username, password := credentialsOf(c)
		if !isUsername(username) {
			continue
		}
		p := byName[username]
		if p == nil {
			p = &person{username: username}
			byName[username] = p
			d.people = append(d.people, p)
		}
		d.of[i] = p
		good := c.Response.Status/100 == 2
		if good && password != "" {
			if p.password == "" {
				p.password = password
			}
			if !p.known && d.registers(c) {
				p.registered = true
			}
			p.known = true
		}
		for _, f := range fields.OfBody(c.Request.Headers, c.Request.Body) {
			if strings.EqualFold(f.Name, "email") && p.email == "" && good && strings.Contains(f.Value, "@") && f.Value != username {
				p.email = f.Value
			}
		}
	}
	for i, p := range d.people {
		p.name = fmt.Sprint("user", i+1)
		p.written = p.name
		if strings.Contains(p.username, "@") {
			p.written += "@example.com"
		}
		p.found = len(p.username) >= startLength && !d.vault.words[p.username]
		if !p.found {
			p.written = p.username
			continue
		}
		d.vault.names[p.username] = d.vault.secrets[p.username] != nil
		d.vault.table.addForms(p.username, entry{person: p}, true)
		if upper := strings.ToUpper(p.username); p.known && upper != p.username && byName[upper] == nil {
			d.vault.table.addForms(upper, entry{person: p, upper: true}, true)
		}
		if len(p.email) >= startLength {
			d.vault.table.addForms(p.email, entry{person: p, email: true}, true)
		}
	}
}

// isUsername reports whether a text can be a username: with other characters it is what a server says
// something about.
func isUsername(text string) bool { return plainUsername().MatchString(text) }

// credentialsOf returns the username and the password in a request, empty without.
func credentialsOf(c Call) (username, password string) {
	for _, h := range c.Request.Headers {
		if !strings.EqualFold(h.Name, "Authorization") {
			continue
		}
		if scheme, credentials := fields.SplitCredentials(h.Value); strings.EqualFold(strings.TrimSpace(scheme), "basic") {
			if u, p, ok := fields.BasicCredentials(credentials); ok {
				return u, p
			}
		}
	}
	email := ""
	for _, f := range fields.OfBody(c.Request.Headers, c.Request.Body) {
		switch name := strings.ToLower(f.Name); {
		case f.Digit || !f.Text:
		case (name == "username" || name == "user" || name == "login" || name == "user_name") && username == "":
			username = strings.TrimSpace(f.Value)
		case name == "email":
			email = strings.TrimSpace(f.Value)
		case fields.IsPassword(name) && password == "":
			password = f.Value
		}
	}
	if username == "" && password != "" {
		username = email
	}
	return username, password
}

// registers reports whether a request registers a user.
func (d *Draft) registers(c Call) bool {
	path, _, _ := strings.Cut(c.Request.Path, "?")
	path = strings.Trim(path, "/")
	for _, known := range d.options.Registrations {
		if known = strings.Trim(known, "/"); c.Request.Method == "POST" && (path == known || strings.HasSuffix(path, "/"+known)) {
			return true
		}
	}
	return len(d.options.Registrations) == 0 && c.Request.Method == "POST" && (c.Response.Status == 201 || registeringPath().MatchString(path))
}

// changes reports whether a request changes what the server knows of a user, and succeeds.
func changes(c Call) bool {
	if c.Response.Status/100 != 2 {
		return false
	}
	passwords := map[string]bool{}
	for _, f := range fields.OfBody(c.Request.Headers, c.Request.Body) {
		if fields.IsPassword(f.Name) {
			passwords[f.Name] = true
		}
	}
	method := c.Request.Method
	return method == "PUT" || method == "PATCH" || method == "DELETE" || len(passwords) > 1
}
