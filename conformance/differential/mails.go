package differential

import (
	"context"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// The kinds of mails that have links.
const (
	PasswordReset = "password_reset"
	UsernameReset = "username_reset"
	Activation    = "activation"
)

// A Mail is a mail that a server has sent.
type Mail struct {
	Kind, To   string
	UID, Token string // of the link in it; empty: there is none
}

// String returns what of a mail is compared.
func (m Mail) String() string { return strings.TrimSpace(m.Kind + " to " + m.To + " " + m.UID) }

// compareMails returns the difference between the mails that a request made two servers send, nil for none.
func compareMails(reference, subject []Mail) *Part {
	of := func(mails []Mail) string { return fmt.Sprint(mails) }
	if of(reference) == of(subject) {
		return nil
	}
	return &Part{"mails", of(reference), of(subject)}
}

// links are the links that both servers have sent. The generator refers to a pair of them by number; each
// server gets its own.
type links struct {
	reference, subject []Mail
	at                 []time.Time // when they came
}

// add adds the links of mails that are alike, and returns the mails.
func (l *links) add(reference, subject []Mail) (added []Mail) {
	for i := range min(len(reference), len(subject)) {
		r, s := reference[i], subject[i]
		if r.Token == "" || s.Token == "" || r.String() != s.String() {
			continue
		}
		l.reference, l.subject = append(l.reference, r), append(l.subject, s)
		l.at = append(l.at, time.Now())
		added = append(added, r)
	}
	return added
}

// linkUse is how a body refers to a part of a link, in characters that no encoding of a body changes.
var linkUse = regexp.MustCompile(`(uid|link)([0-9]{6})x`)

func uidOf(link int) string   { return fmt.Sprintf("uid%06dx", link) }
func tokenOf(link int) string { return fmt.Sprintf("link%06dx", link) }

// fill returns a body for each of the servers.
func (l *links) fill(body []byte) (reference, subject []byte) {
	with := func(mails []Mail) []byte {
		return linkUse.ReplaceAllFunc(body, func(use []byte) []byte {
			m := linkUse.FindSubmatch(use)
			n, err := strconv.Atoi(string(m[2]))
			if err != nil || n >= len(mails) {
				return use // not a reference
			}
			if string(m[1]) == "uid" {
				return []byte(mails[n].UID)
			}
			return []byte(mails[n].Token)
		})
	}
	return with(l.reference), with(l.subject)
}

// A link ends with a login, of which Django knows the second: in the same one it would stay good. What one
// server does before the end of a second, and the other after it, makes links good at one of them alone: no
// request begins in the last part of a second, and where one takes longer all the same, the links are forgotten.
const lastPart = 100 * time.Millisecond

// awaitSecond waits until a request can be sent, if need be in another second. A link that came in a second is used in
// another one: its user may have logged in in the same, in which authcompat ends a link at its use all the same. What
// follows an activation is in another second, since authcompat keeps it as a login.
func awaitSecond(ctx context.Context, another bool) {
	left := time.Until(time.Now().Truncate(time.Second).Add(time.Second))
	if !another && left > lastPart {
		return
	}
	select {
	case <-ctx.Done():
	case <-time.After(left):
	}
}
