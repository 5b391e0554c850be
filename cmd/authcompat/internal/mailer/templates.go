package mailer

import (
	"bytes"
	"embed"
	"errors"
	"fmt"
	htmltemplate "html/template"
	"io/fs"
	"path"
	"text/template"

	"github.com/authcompat/authcompat/core"
)

// builtin are the default templates.
//
//go:embed templates/*.txt
var builtin embed.FS

// Data is what a template knows. A template that names anything else fails when it is read.
type Data struct {
	SiteName string // DJOSER's SITE_NAME
	Domain   string // DOMAIN, without a scheme
	Username string
	Email    string
	// URL, UID and Token are empty for mails without a link.
	URL, UID, Token string
}

// Templates are the texts of mails: for each kind, KIND.subject.txt, KIND.txt and, if there is one,
// KIND.html, in a folder of a profile or, for all of them, above it.
type Templates struct {
	subject, text map[string]*template.Template
	html          map[string]*htmltemplate.Template
}

// LoadTemplates reads the templates of a folder, and takes the built-in ones for those that it does not
// have; nil: all of them. The error names each file that is wrong, or that has no mail's name.
func LoadTemplates(folder fs.FS) (*Templates, error) {
	t := &Templates{subject: make(map[string]*template.Template), text: make(map[string]*template.Template), html: make(map[string]*htmltemplate.Template)}
	defaults, err := fs.Sub(builtin, "templates")
	if err != nil {
		return nil, err
	}
	errs := []error{t.read(defaults)}
	if folder != nil {
		errs = append(errs, t.read(folder))
	}
	return t, errors.Join(errs...)
}

// maxTemplate limits a template, in bytes.
const maxTemplate = 1 << 20

// read adds the templates of a folder, in place of those that there are.
func (t *Templates) read(folder fs.FS) error {
	var errs []error
	err := fs.WalkDir(folder, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		if err := t.add(folder, name); err != nil {
			errs = append(errs, fmt.Errorf("template %s: %w", name, err))
		}
		return nil
	})
	return errors.Join(append(errs, err)...)
}

// add reads a template.
func (t *Templates) add(folder fs.FS, name string) error {
	key, part, ok := split(name)
	if !ok {
		return errors.New("no mail has this name: it is KIND.subject.txt, KIND.txt or KIND.html, as in password_reset.txt")
	}
	source, err := fs.ReadFile(folder, name)
	if err != nil {
		return err
	}
	if len(source) > maxTemplate {
		return fmt.Errorf("it has %d bytes, at most %d", len(source), maxTemplate)
	}
	if part == htmlPart {
		parsed, err := htmltemplate.New(name).Option("missingkey=error").Parse(string(source))
		if err == nil {
			err = parsed.Execute(new(bytes.Buffer), Data{URL: "https://example.org/"})
		}
		t.html[key] = parsed
		return err
	}
	parsed, err := template.New(name).Option("missingkey=error").Parse(string(source))
	if err == nil {
		err = parsed.Execute(new(bytes.Buffer), Data{})
	}
	if part == subjectPart {
		t.subject[key] = parsed
	} else {
		t.text[key] = parsed
	}
	return err
}

// The parts of a mail, by the ends of their files' names.
const (
	subjectPart = ".subject.txt"
	textPart    = ".txt"
	htmlPart    = ".html"
)

// split returns the kind in a file's name, with the profile before it, if there is one.
func split(name string) (key, part string, ok bool) {
	profile, file := path.Split(name)
	for _, part := range []string{subjectPart, textPart, htmlPart} {
		for _, kind := range core.MailKinds() {
			if file == string(kind)+part && path.Dir(path.Clean(profile)) == "." {
				return profile + string(kind), part, true
			}
		}
	}
	return "", "", false
}

// Fill returns the texts of a mail. A profile that has a text of its own has no HTML of all profiles.
func (t *Templates) Fill(kind core.MailKind, profile string, d Data) (m Message, err error) {
	own, all := profile+"/"+string(kind), string(kind)
	var out bytes.Buffer
	for _, part := range []struct {
		templates map[string]*template.Template
		to        *string
	}{{t.subject, &m.Subject}, {t.text, &m.Text}} {
		chosen, ok := part.templates[own]
		if !ok {
			chosen = part.templates[all]
		}
		if chosen == nil {
			return m, fmt.Errorf("no template for mails of the kind %q", kind)
		}
		out.Reset()
		if err := chosen.Execute(&out, d); err != nil {
			return m, err
		}
		*part.to = out.String()
	}
	html := t.html[own]
	if _, ownText := t.text[own]; html == nil && !ownText {
		html = t.html[all]
	}
	if html != nil {
		out.Reset()
		if err := html.Execute(&out, d); err != nil {
			return m, err
		}
		m.HTML = out.String()
	}
	return m, nil
}
