package main

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/authcompat/authcompat/core"
	"github.com/authcompat/authcompat/store/moving"
)

func newInspect() *cobra.Command {
	var f djangoFlags
	var format string
	cmd := &cobra.Command{
		Use:   "inspect SOURCE",
		Short: "Tell what is in a Django user base, and what will carry over",
		Long: `Read a Django user base and tell in plain words what is in it: users, formats of passwords, tables of
tokens by generation; what will and what will not carry over, and why; and a profile to start from.
Nothing is written anywhere. SOURCE is

` + djangoForms,
		Example: `  authcompat inspect /srv/old/db.sqlite3
  authcompat inspect postgres://reader@db.example.com/old
  authcompat inspect dump.json --format json`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if format != "text" && format != "json" {
				return fmt.Errorf("--format %q: want text or json", format)
			}
			from, decoder, err := f.open(cmd.Context(), args[0])
			if err != nil {
				return err
			}
			defer from.Close()
			found, err := moving.Inspect(cmd.Context(), from, decoder, time.Now())
			if err != nil {
				return err
			}
			if format == "json" {
				encoder := json.NewEncoder(cmd.OutOrStdout())
				encoder.SetIndent("", "  ")
				return encoder.Encode(found)
			}
			return writeInspection(cmd.OutOrStdout(), found, args[0])
		},
	}
	f.add(cmd.Flags())
	cmd.Flags().StringVar(&format, "format", "text", "text or json")
	return cmd
}

func writeInspection(w io.Writer, found *moving.Inspection, source string) error {
	var out strings.Builder
	u := found.Users
	say(&out, "%s\n\n", found.Source)
	say(&out, "Users: %d in %s, %d active\n", u.Number, u.Table, u.Active)
	say(&out, "  username from column %s, password from %s%s%s\n", u.Columns["username"], u.Columns["password"],
		columnNote(u.Columns["active"], "being active from"), columnNote(u.Columns["created"], "joined from"))
	if len(u.Extra) > 0 {
		say(&out, "  attributes from %s\n", strings.Join(u.Extra, ", "))
	}
	say(&out, "\nPasswords, by format\n")
	for _, format := range slices.Sorted(maps.Keys(u.Formats)) {
		say(&out, "  %8d  %-14s  %s\n", u.Formats[format], format, formatNote(format))
	}
	say(&out, "\nTokens\n")
	if len(found.Tokens) == 0 {
		say(&out, "  none: neither Django REST framework's authtoken nor django-rest-knox has a table here\n")
	}
	for _, t := range found.Tokens {
		say(&out, "  %s (%s): %d, of which %d live (%d never expire), %d expired, %d can't be taken over\n    %s\n",
			t.Table, generationName(t), t.Number, t.Live, t.Never, t.Expired, t.Lost, tokenNote(t))
	}
	writeCarries(&out, found)
	say(&out, "\nA profile to start from\n")
	for _, line := range strings.Split(strings.TrimRight(starter(found), "\n"), "\n") {
		say(&out, "  %s\n", line)
	}
	say(&out, "\nNext: authcompat import django %s --profile NAME|FILE --dry-run\n", source)
	_, err := io.WriteString(w, out.String())
	return err
}

// maxShown is how many problems are shown on a terminal; the report has them all.
const maxShown = 10

// writeCarries says what does not carry over.
func writeCarries(out *strings.Builder, found *moving.Inspection) {
	say(out, "\nWhat does not carry over\n")
	say(out, "  groups and permissions, sessions, last_login: authcompat has no use for them; they stay in Django's tables\n")
	writeProblems(out, found.Problems, found.NotListed)
}

// writeProblems shows the first problems.
func writeProblems(out *strings.Builder, problems []moving.Problem, more int) {
	for i, p := range problems {
		if i == maxShown {
			break
		}
		say(out, "  %s: %s\n", p.Row, p.Reason)
	}
	if hidden := len(problems) - maxShown + more; hidden > 0 {
		say(out, "  … and %d more\n", hidden)
	}
}

func columnNote(column, what string) string {
	if column == "" {
		return ""
	}
	return ", " + what + " " + column
}

// formatNote says what becomes of the passwords of a format.
func formatNote(format string) string {
	switch format {
	case "unusable":
		return "carried over: no password works, as in Django"
	case "empty":
		return "carried over: no login works, as in Django"
	case "unsupported", "malformed":
		return "carried over, but no login works: these users need a new password"
	case "md5", "sha1", "unsalted_md5", "unsalted_sha1", "pbkdf2_sha1":
		return "works; made anew as pbkdf2_sha256 at each user's next login"
	}
	return "works"
}

func generationName(t moving.TokenInspected) string {
	switch {
	case t.Plain:
		return "django-rest-knox 1"
	case t.Generation == core.Authtoken:
		return "Django REST framework's authtoken"
	case t.Generation == core.Knox41:
		return "django-rest-knox 2 to 4.1"
	case t.Generation == core.Knox42:
		return "django-rest-knox 4.2"
	}
	return "django-rest-knox 5"
}

// tokenNote says what becomes of the tokens of a table.
func tokenNote(t moving.TokenInspected) string {
	switch {
	case t.Live == 0:
		return "nothing to take over"
	case t.Generation == core.Authtoken:
		return "live ones go on; they end at created + the profile's ttl, and are shown again where the profile has per_user: one"
	}
	return "live ones go on and keep their end"
}

// starter is a profile that answers as the stack that made these tables does.
func starter(found *moving.Inspection) string {
	tokens := "tokens: {hex: 40, ttl: never, per_user: one}"
	reply := "{token: $token.key}"
	for _, t := range found.Tokens {
		if t.Generation == core.Authtoken || t.Number == 0 {
			continue
		}
		ttl := "never"
		if t.TTL > 0 {
			ttl = strings.TrimSuffix(strings.TrimSuffix(t.TTL.String(), "0s"), "0m")
		}
		tokens = fmt.Sprintf("tokens: {hex: 64, ttl: %s, per_user: many, match: %s, legacy_digests: %s}", ttl, matchOf(t.Generation), t.Generation)
		reply = "{expiry: $token.expiry, token: $token.key}"
	}
	return `name: my-api
family: drf
stack: drf-3.14
` + tokens + `
trailing_slash: redirect
endpoints:
  login:
    path: /api/login/
    fields:
      username: {}
      password: {trim: false}
    reply: {status: 200, body: ` + reply + `}
  logout:
    path: /api/logout/
    reply: {status: 204}
`
}

// matchOf is which texts a generation takes for a token.
func matchOf(g core.Generation) string {
	if g == core.Knox5 {
		return "exact"
	}
	return "knox-4.2"
}
