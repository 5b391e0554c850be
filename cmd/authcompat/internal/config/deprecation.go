package config

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/authcompat/authcompat/cmd/authcompat/internal/config/flagvalue"
	"github.com/authcompat/authcompat/cmd/authcompat/internal/config/section"
	"github.com/authcompat/authcompat/profiles"
	"github.com/authcompat/authcompat/profiles/yamlfile"
)

// The keys of a listener that tell clients, in headers of all its own replies, that the API is on its
// way out: since when it is deprecated (RFC 9745), when it ends (RFC 8594), and where that is
// explained.
const (
	deprecationKey     = "deprecation"
	sunsetKey          = "sunset"
	deprecationLinkKey = "deprecation_link"
)

// deprecationBinding are these keys of a listener.
type deprecationBinding struct{ since, sunset, link section.Option }

// options returns them in the order in which they are printed.
func (b *deprecationBinding) options() []*section.Option {
	return []*section.Option{&b.since, &b.sunset, &b.link}
}

// read reads the key of a listener.
func (b *deprecationBinding) read(e yamlfile.Entry) {
	if !section.IsScalar(e.Value) || e.Value.Node.Value == "" {
		e.Value.Refuse("want a value")
		return
	}
	i := slices.Index([]string{deprecationKey, sunsetKey, deprecationLinkKey}, e.Name)
	*b.options()[i] = section.NewOption(e)
}

// headers returns the headers that the keys stand for, behind those that replies have already.
func (b *deprecationBinding) headers(have []profiles.Header, found *section.Problems) []profiles.Header {
	all := slices.Clone(have)
	before := len(found.Lines)
	since, sunset := dateOf(b.since, found), dateOf(b.sunset, found)
	if b.link.Value != "" {
		if err := checkLink(b.link.Value); err != nil {
			found.Add(b.link.At, "%v", err)
		} else if b.since.Value == "" && b.sunset.Value == "" {
			found.Add(b.link.At, "explains a deprecation or a sunset: give one of them too")
		}
	}
	// RFC 9745, 4.
	if b.since.Value != "" && b.sunset.Value != "" && len(found.Lines) == before && sunset.Before(since) {
		found.Add(b.sunset.At, "%s is before the deprecation, %s (%s)", b.sunset.Value, b.since.Value, b.since.At)
	}
	if len(found.Lines) > before {
		return all
	}
	var links []string
	for _, o := range []struct {
		option             *section.Option
		name, value, title string
	}{
		{&b.since, "Deprecation", fmt.Sprintf("@%d", since.Unix()), "deprecation"},
		{&b.sunset, "Sunset", sunset.Format(http.TimeFormat), "sunset"},
	} {
		if o.option.Value == "" {
			continue
		}
		if slices.ContainsFunc(have, func(h profiles.Header) bool { return strings.EqualFold(h.Name, o.name) }) {
			found.Add(o.option.At, "the profile has a header %s of its own", o.name)
		}
		all = append(all, profiles.Header{Name: o.name, Value: o.value})
		if b.link.Value != "" {
			links = append(links, fmt.Sprintf(`<%s>; rel="%s"`, b.link.Value, o.title))
		}
	}
	return addLinks(all, links)
}

// addLinks adds links to the header Link, which replies have once.
func addLinks(headers []profiles.Header, links []string) []profiles.Header {
	if len(links) == 0 {
		return headers
	}
	if i := slices.IndexFunc(headers, func(h profiles.Header) bool { return strings.EqualFold(h.Name, "Link") }); i >= 0 {
		headers[i].Value += ", " + strings.Join(links, ", ")
		return headers
	}
	return append(headers, profiles.Header{Name: "Link", Value: strings.Join(links, ", ")})
}

// dateOf returns the time that an option is; the zero time: it has none, or it is no time.
func dateOf(o section.Option, found *section.Problems) time.Time {
	if o.Value == "" {
		return time.Time{}
	}
	t, err := flagvalue.ParseTime(o.Value)
	switch {
	case err != nil:
		found.Add(o.At, "%v", err)
	case t.Year() < 1970 || t.Year() > 9999:
		found.Add(o.At, "%q: HTTP's dates have years from 1970 to 9999", o.Value)
		return time.Time{}
	}
	return t
}

// checkLink fails for what can't be the target of a link in a header (RFC 8288, 3.1).
func checkLink(text string) error {
	u, err := url.Parse(text)
	strange := func(r rune) bool { return r <= ' ' || r >= 0x7f || strings.ContainsRune(`<>"\^{|}`+"`", r) }
	if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Hostname() == "" || strings.ContainsFunc(text, strange) {
		return errors.New("want a URL such as https://example.com/old-api, which everybody is shown")
	}
	if u.User != nil {
		return errors.New("the URL has a name or a password, and everybody is shown it")
	}
	return nil
}
