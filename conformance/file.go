package conformance

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/authcompat/authcompat/conformance/internal/template"
	"github.com/authcompat/authcompat/profiles/yamlfile"
)

// A File is a loaded exchange file: the exchanges that one profile's document promises.
type File struct {
	Name      string // as shown in positions: exchanges/ocd-users.yaml
	Profile   string
	Exchanges []Exchange

	usernameMax    int
	defaultHeaders []headerWant
	createUser     *step // nil: the API has no request that registers a user
}

// Matching returns a file with only those exchanges whose name the pattern matches.
func (f *File) Matching(pattern *regexp.Regexp) *File {
	some := *f
	some.Exchanges = slices.DeleteFunc(slices.Clone(f.Exchanges), func(e Exchange) bool { return !pattern.MatchString(e.Name) })
	return &some
}

// NamePattern returns the pattern of the names of exchanges that people write: a part of a name, or a regular expression. The
// error says in words what is wrong with it.
func NamePattern(text string) (*regexp.Regexp, error) {
	pattern, err := regexp.Compile(text)
	if err != nil {
		return nil, fmt.Errorf("want a part of an exchange's name, or a regular expression: %s", strings.TrimPrefix(err.Error(), "error parsing regexp: "))
	}
	return pattern, nil
}

// RegistersUsers reports whether the file says how users are registered through the API, so that a
// running server needs no user for the exchanges.
func (f *File) RegistersUsers() bool { return f.createUser != nil }

// An Exchange is one documented conversation: requests, and the response that each must get.
type Exchange struct {
	Name     string
	Source   string // document and section, or "silent: …" with the source of the choice
	Position Position

	authcompatOnly string // why no other server answers so; empty if others do
	notReplayable  string // why it is not tried at any server; empty if it is
	variables      []variable
	users          []user
	steps          []step
}

// A variable is a value that the file does not have: whoever runs it gives it.
type variable struct {
	name string
	why  string
}

// A user is a user that an exchange needs, or just the name for one.
type user struct {
	name       string // in the file
	position   Position
	username   string // as documented, before it is made unique
	length     int    // the exact length of the name in characters; 0 for that of username
	password   string
	email      string
	inactive   bool
	attributes map[string]string
	isNew      bool // does not exist when the exchange begins
	dedicated  bool // no other exchange may use the user
}

type step struct {
	position Position
	advance  time.Duration
	link     *link
	emailKey *emailKey
	request  request
	response response
}

// A link is a link of which a step's request has the parts.
type link struct {
	user       string // whose it is
	uid, token string // what its parts are captured as
}

// An emailKey is a key with which a user verifies the address.
type emailKey struct {
	user string // whose it is
	key  string // what it is captured as
}

type request struct {
	method  string
	path    template.Template
	headers []headerLine
	body    body
}

type headerLine struct {
	name  string
	value template.Template
}

// A body is the body of a request: text, a JSON value or form pairs. With none set it is empty.
type body struct {
	text *template.Template
	json *template.JSON
	form []formPair
}

type formPair struct {
	name  string
	value template.Template
}

type response struct {
	status         int
	statusPosition Position
	headers        []headerWant
	body           bodyWant
}

// A headerWant is what is expected of one header: any value or none, these values, or, with neither
// set, that it is absent.
type headerWant struct {
	name     string
	position Position
	any      bool
	values   []template.Template
}

// A bodyWant is what is expected of a body: exactly one of text, json, html and empty is set.
type bodyWant struct {
	position Position
	text     *template.Template
	json     *template.JSON
	ordered  bool // for json: the order of keys matters
	html     bool
	empty    bool
}

// A Position is a place in an exchange file.
type Position = yamlfile.Position

// A Problem is one error in an exchange file.
type Problem = yamlfile.Problem

// Problems are all errors in an exchange file, in the order of the file.
type Problems = yamlfile.Problems
