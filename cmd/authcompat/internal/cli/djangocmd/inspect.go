package djangocmd

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/authcompat/authcompat/cmd/authcompat/internal/config"
	"github.com/authcompat/authcompat/cmd/authcompat/internal/config/flagvalue"
	"github.com/authcompat/authcompat/cmd/authcompat/internal/djangosettings"
	"github.com/authcompat/authcompat/cmd/authcompat/internal/term"
	"github.com/authcompat/authcompat/core"
	"github.com/authcompat/authcompat/store/django/transfer"
)

// NewInspect returns the command inspect.
func NewInspect() *cobra.Command {
	var f djangoFlags
	format := flagvalue.NewEnum("text", "json")
	var profileOut string
	var asJSON bool
	var settings []string
	cmd := &cobra.Command{
		Use:   "inspect [SOURCE …]",
		Short: "Report what is in a Django user base, and what an import would take over",
		Long: `Read a Django user base and tell in plain words what is in it: users, formats of passwords, tables of
tokens by generation; what will and what will not carry over, and why; what isn't certain, and what to do;
and a profile to start from. Nothing is written anywhere. SOURCE is

` + djangoForms + `

--settings FILE reads the project's settings, with a SOURCE or alone: as text, nothing of it is run. Each setting that decides
how the API answers is listed with the key of the profile that it becomes, or why it becomes none; the profile
to start from has them. Give files that import one another in their order:
--settings base.py --settings production.py. What only running a file could tell is listed with its
position.`,
		Example: `  authcompat inspect /srv/old/db.sqlite3
  authcompat inspect postgres://reader@db.example.com/old
  authcompat inspect users.json tokens.json --json
  authcompat inspect --settings project/settings.py --profile-out my-api.yaml`,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args)+len(settings) == 0 {
				return errors.New("name a SOURCE, or --settings FILE")
			}
			if profileOut != "" && len(settings) == 0 {
				return errors.New("--profile-out goes with --settings")
			}
			project, err := readSettings(cmd.Context(), settings)
			if err != nil {
				return err
			}
			found, err := f.inspect(cmd.Context(), args)
			if err != nil {
				return err
			}
			if found != nil && project != nil {
				for _, t := range knoxTokens(found) {
					if err := project.Knox(matchOf(t.Format), string(t.Format)); err != nil {
						return err
					}
				}
			}
			if profileOut != "" {
				if err := writeProfile(profileOut, project); err != nil {
					return err
				}
			}
			if asJSON || format.Value == "json" {
				encoder := json.NewEncoder(cmd.OutOrStdout())
				encoder.SetIndent("", "  ")
				return encoder.Encode(inspected{found, project})
			}
			return f.write(cmd.OutOrStdout(), args, found, project, profileOut)
		},
	}
	f.add(cmd.Flags())
	cmd.Flags().Var(&format, "format", "text or json")
	cmd.Flags().StringArrayVar(&settings, "settings", nil, "settings file of the Django project, read as text (repeatable: a later one imports the earlier ones)")
	cmd.Flags().StringVar(&profileOut, "profile-out", "", "new file for the profile made from --settings")
	cmd.Flags().BoolVar(&asJSON, "json", false, "the same as --format json")
	return cmd
}

// inspected is what the command reports as JSON.
type inspected struct {
	*transfer.Inspection
	Settings *djangosettings.Report `json:"settings,omitempty"`
}

// inspect inspects the sources; nil if there are none.
func (f *djangoFlags) inspect(ctx context.Context, sources []string) (*transfer.Inspection, error) {
	if len(sources) == 0 {
		return nil, nil
	}
	from, zone, err := f.open(ctx, sources...)
	if err != nil {
		return nil, err
	}
	defer from.Close()
	return transfer.Inspect(ctx, from, zone, time.Now())
}

// write writes the report for people: on the sources, on the settings, or on both.
func (f *djangoFlags) write(w io.Writer, sources []string, found *transfer.Inspection, project *djangosettings.Report, written string) error {
	var out strings.Builder
	next := "authcompat profile check my-api.yaml"
	if written != "" {
		next = "authcompat profile check " + quoted(written)
	}
	if found != nil {
		writeInspection(&out, found)
		next = f.next(sources, found)
		if written != "" {
			next = strings.Replace(next, "--profile NAME|FILE", "--profile "+quoted(written), 1)
		}
	}
	switch {
	case project == nil:
	case found != nil:
		term.Printf(&out, "\n\n")
		fallthrough
	default:
		writeSettings(&out, project, written)
	}
	if found != nil && (project == nil || project.Profile == "") {
		term.Printf(&out, "\nA profile to start from\n")
		for _, line := range strings.Split(strings.TrimRight(starter(found), "\n"), "\n") {
			term.Printf(&out, "  %s\n", line)
		}
	}
	if found != nil || project.Profile != "" {
		term.Printf(&out, "\nNext: %s\n", next)
	}
	_, err := io.WriteString(w, out.String())
	return err
}

// next is the command to go on with. A password in a DSN is not shown.
func (f *djangoFlags) next(sources []string, found *transfer.Inspection) string {
	words := []string{"authcompat import django"}
	for _, source := range sources {
		if u, err := url.Parse(source); err == nil && u.User != nil {
			if _, secret := u.User.Password(); secret {
				u.User = url.UserPassword(u.User.Username(), "PASSWORD")
				source = u.String()
			}
		}
		if address, query, has := strings.Cut(source, "?"); has && strings.Contains(address, "://") {
			source = address + "?" + config.MaskQuery(query)
		}
		words = append(words, quoted(source))
	}
	add := func(flag, value string) {
		if value != "" {
			words = append(words, "--"+flag, quoted(value))
		}
	}
	add("user-table", f.userTable)
	for _, table := range f.tokenTables {
		add("token-table", table)
	}
	if found.Undecided != "" && len(f.tokenTables) == 0 {
		add("token-table", "TABLE")
	}
	add("map", f.mapping)
	if f.zone != "UTC" {
		add("time-zone", f.zone)
	}
	return strings.Join(append(words, "--profile NAME|FILE --dry-run"), " ")
}

// quoted gives a word as a shell takes it.
func quoted(word string) string {
	if strings.IndexFunc(word, func(c rune) bool {
		return !strings.ContainsRune("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-./:@%+=,", c)
	}) < 0 && word != "" {
		return word
	}
	return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
}

// writeInspection says what was found in the sources.
func writeInspection(out *strings.Builder, found *transfer.Inspection) {
	u := found.Users
	term.Printf(out, "%s\n\n", found.Source)
	term.Printf(out, "Users: %d in %s, %d active\n", u.Number, u.Table, u.Active)
	term.Printf(out, "  key from column %s, username from column %s, password from %s%s%s%s\n", u.Columns["id"], u.Columns["username"], u.Columns["password"],
		columnNote(u.Columns["email"], "address from"), columnNote(u.Columns["active"], "being active from"), columnNote(u.Columns["created"], "joined from"))
	if len(u.Extra) > 0 {
		term.Printf(out, "  attributes from %s\n", strings.Join(u.Extra, ", "))
	}
	term.Printf(out, "\nPasswords, by format\n")
	for _, format := range slices.Sorted(maps.Keys(u.Formats)) {
		term.Printf(out, "  %8d  %-14s  %s\n", u.Formats[format], format, formatNote(format))
	}
	term.Printf(out, "\nTokens\n")
	if len(found.Tokens) == 0 {
		term.Printf(out, "  none: no table here looks like tokens of Django REST framework's authtoken, of django-rest-knox, or of the project's own\n")
	}
	for _, t := range found.Tokens {
		term.Printf(out, "  %s (%s): %d, of which %d live (%d never expire), %d expired, %d can't be taken over\n    %s\n",
			t.Table, generationName(t), t.Number, t.Live, t.Never, t.Expired, t.Lost, tokenNote(t))
	}
	writeCarries(out, found)
	writeUnsure(out, found)
}

// writeUnsure says what isn't certain, and what to do.
func writeUnsure(out *strings.Builder, found *transfer.Inspection) {
	unsure := slices.Clone(found.Unsure)
	if found.Undecided != "" {
		unsure = append([]string{"before an import: " + found.Undecided}, unsure...)
	}
	for _, t := range found.Tokens {
		if t.LeftOver {
			unsure = append(unsure, fmt.Sprintf("%s looks left over from before: its last token was made on %s, before the first of another table", t.Table, t.Last.Format(time.DateOnly)))
		}
	}
	if len(unsure) == 0 {
		return
	}
	term.Printf(out, "\nWhat is not certain\n")
	for _, sentence := range unsure {
		term.Printf(out, "  %s\n", sentence)
	}
}

// maxShown is how many problems are shown on a terminal; the report has them all.
const maxShown = 10

// writeCarries says what does not carry over.
func writeCarries(out *strings.Builder, found *transfer.Inspection) {
	term.Printf(out, "\nWhat does not carry over\n")
	term.Printf(out, "  groups and permissions, sessions: authcompat has no use for them; they stay in Django's tables\n")
	if len(found.Users.Secret) > 0 {
		term.Printf(out, "  columns that look like secrets: %s; attributes in a mapping (--map) would take them\n", strings.Join(found.Users.Secret, ", "))
	}
	writeProblems(out, found.Problems, found.NotListed)
}

// writeProblems shows the first problems.
func writeProblems(out *strings.Builder, problems []transfer.Problem, more int) {
	for i, p := range problems {
		if i == maxShown {
			break
		}
		term.Printf(out, "  %s: %s\n", p.Row, p.Reason)
	}
	if hidden := len(problems) - maxShown + more; hidden > 0 {
		term.Printf(out, "  … and %d more\n", hidden)
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
	case "md5", "sha1", "unsalted_md5", "unsalted_sha1", "pbkdf2_sha1",
		"pbkdf2_wrapped_sha1", "pbkdf2_wrapped_md5", "pbkdf2_wrapped_unsalted_sha1", "pbkdf2_wrapped_unsalted_md5":
		return "works; made anew as pbkdf2_sha256 at each user's next login"
	}
	return "works"
}

func generationName(t transfer.TokenInspected) string {
	switch {
	case t.Plain:
		return "django-rest-knox 1"
	case t.Own:
		return "tokens of the project's own, kept as authtoken does"
	case t.Format == core.Authtoken:
		return "Django REST framework's authtoken"
	case t.Format == core.Knox41:
		return "django-rest-knox 2 to 4.1"
	case t.Format == core.Knox42:
		return "django-rest-knox 4.2"
	}
	return "django-rest-knox 5"
}

// tokenNote says what becomes of the tokens of a table.
func tokenNote(t transfer.TokenInspected) string {
	switch {
	case t.Unreadable:
		return "the role may not read it"
	case !t.Chosen:
		return "not taken over unless --token-table names it"
	case t.Live == 0:
		return "nothing to take over"
	case t.Undated:
		return "live ones go on; when they were created is not known: they end at their import + the profile's ttl, and are shown again where the profile has per_user: one"
	case t.Format == core.Authtoken:
		return "live ones go on; they end at created + the profile's ttl, and are shown again where the profile has per_user: one"
	}
	return "live ones go on and keep their end"
}

// knoxTokens gives the tables with tokens of django-rest-knox that are in use.
func knoxTokens(found *transfer.Inspection) []transfer.TokenInspected {
	return slices.DeleteFunc(slices.Clone(found.Tokens), func(t transfer.TokenInspected) bool {
		return t.Format == core.Authtoken || t.Number == 0 || t.LeftOver
	})
}

// starter is a profile that answers as the stack that made these tables does.
func starter(found *transfer.Inspection) string {
	tokens := "tokens: {hex: 40, ttl: never, per_user: one}"
	reply := "{token: $token.key}"
	for _, t := range knoxTokens(found) {
		ttl := "never"
		if t.TTL > 0 {
			ttl = profileTTL(t.TTL)
		}
		tokens = fmt.Sprintf("tokens: {hex: 64, ttl: %s, per_user: many, match: %s, legacy_format: %s}", ttl, matchOf(t.Format), t.Format)
		reply = "{expiry: $token.expiry, token: $token.key}"
	}
	names := ""
	if m := found.Users.Mapping; m.Username != "" && m.Username == m.Email { // a registration has to fill one column
		names = "usernames: {email: true}\n"
	}
	return `name: my-api
family: drf
stack: drf-3.14
scheme: Token
` + tokens + "\n" + names + `trailing_slash: redirect
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

// profileTTL writes a duration as profiles do: 10h instead of 10h0m0s.
func profileTTL(d time.Duration) string {
	text := max(d.Round(time.Second), time.Second).String()
	for _, zero := range []string{"m0s", "h0m"} {
		if rest, ok := strings.CutSuffix(text, zero); ok {
			text = rest + zero[:1]
		}
	}
	return text
}

// matchOf is which texts a generation takes for a token.
func matchOf(g core.LegacyFormat) string {
	if g == core.Knox5 {
		return "exact"
	}
	return "knox-4.2"
}
