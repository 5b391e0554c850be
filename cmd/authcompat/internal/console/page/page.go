// Package page has what all pages of the console share: the layout around them, their style sheet
// and script, and how they are written to a client.
//
// Pages are whole without their script. Nothing in them is inline, and nothing comes from elsewhere: the
// Content-Security-Policy of package guard has a browser refuse both.
package page

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"html/template"
	"io/fs"
	"net/http"
	"strconv"
	"strings"
)

// Root is the path under which all pages of the console are.
const Root = "/console/"

//go:embed templates/*.html
var templates embed.FS

// A Page is what a view shows.
type Page struct {
	Title string // of the window, and of nothing else: a body has its own h1
	View  string // the Key of the link that is marked as the current one; empty: none is
	// Refresh is after how many seconds a browser without scripts loads the page again; 0: it doesn't.
	Refresh int
}

// A Link leads to a view.
type Link struct {
	Key   string
	Path  string
	Label string
}

// A Frame is what stands around the pages of a console. It is the same for all of them.
type Frame struct {
	Links []Link
	Mode  string // what kind of console it is, in a few words
	Write bool   // whether the console changes anything
}

type frameKey struct{}

// WithFrame returns a handler whose pages have the frame.
func WithFrame(frame Frame, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), frameKey{}, &frame)))
	})
}

// Parse parses the templates/*.html of a view. They may call the functions of Funcs, and those of more,
// which may be nil. It panics if they are wrong: they are part of the program.
func Parse(files fs.FS, more template.FuncMap) *template.Template {
	return template.Must(template.New("").Funcs(Funcs()).Funcs(more).ParseFS(files, "templates/*.html"))
}

// execute returns what a template makes of data. It panics if the one does not fit the other: both are part of the program.
func execute(t *template.Template, name string, data any) template.HTML {
	var made strings.Builder
	if err := t.ExecuteTemplate(&made, name, data); err != nil {
		panic(fmt.Errorf("render %s: %w", name, err))
	}
	return template.HTML(made.String()) //nolint:gosec // html/template has escaped it
}

var layout = Parse(templates, nil)

// Show writes a page, with what a view's template makes of data, in the frame of the request's console (WithFrame). Of a
// HEAD request, only the header is sent.
func Show(w http.ResponseWriter, r *http.Request, status int, p Page, t *template.Template, name string, data any) {
	frame, _ := r.Context().Value(frameKey{}).(*Frame)
	if frame == nil {
		frame = &Frame{}
	}
	write(w, status, execute(layout, "layout", map[string]any{"Frame": frame, "Page": p, "Body": execute(t, name, data), "Root": Root}))
}

// Error writes a page that says what is wrong, in a sentence that is shown as text.
func Error(w http.ResponseWriter, r *http.Request, status int, message string) {
	title := strconv.Itoa(status) + " " + http.StatusText(status)
	Show(w, r, status, Page{Title: title}, layout, "error", map[string]any{"Title": title, "Message": message})
}

// FormStatus returns the status of a page that says why a form could not be read: 413 if it is too long, else 400.
func FormStatus(err error) int {
	if errors.As(err, new(*http.MaxBytesError)) {
		return http.StatusRequestEntityTooLarge
	}
	return http.StatusBadRequest
}

// Locked writes the page of those who have no session: with a form for the key, and without links to
// what they can't reach.
func Locked(w http.ResponseWriter, message string) {
	write(w, http.StatusUnauthorized, execute(layout, "locked", map[string]any{"Message": message, "Root": Root}))
}

func write(w http.ResponseWriter, status int, body template.HTML) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(status)
	_, _ = w.Write([]byte(body)) // a client that left needs no page
}
