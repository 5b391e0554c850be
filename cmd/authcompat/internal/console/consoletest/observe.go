package consoletest

import (
	"fmt"
	"strings"
	"sync"

	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
)

// policy is the Content-Security-Policy that each page has to have, word for word.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'"

// maxPage is how many bytes a page has at most.
const maxPage = 100_000

// An observer notes what is wrong with what a tab comes by.
type observer struct {
	origin string

	mu       sync.Mutex
	problems []string
	pages    map[network.RequestID]string // documents that are being received
	sizes    map[string]int               // bytes of documents as they were sent, by path; the largest
}

func (o *observer) note(format string, args ...any) {
	o.problems = append(o.problems, fmt.Sprintf(format, args...))
}

// event is called with each event of the tab.
func (o *observer) event(ev any) {
	o.mu.Lock()
	defer o.mu.Unlock()
	switch e := ev.(type) {
	case *runtime.EventConsoleAPICalled:
		var words []string
		for _, a := range e.Args {
			words = append(words, fmt.Sprint(a.Description, string(a.Value)))
		}
		o.note("console: %s: %s", e.Type, strings.Join(words, " "))
	case *runtime.EventExceptionThrown:
		o.note("exception: %s", e.ExceptionDetails.Text)
	case *log.EventEntryAdded:
		o.note("browser: %s: %s (%s)", e.Entry.Level, e.Entry.Text, pathOf(e.Entry.URL))
	case *network.EventRequestWillBeSent:
		if !strings.HasPrefix(e.Request.URL, o.origin+"/") {
			o.note("request to another origin: %s", pathOf(e.Request.URL))
		}
	case *network.EventResponseReceived:
		o.response(e)
	case *network.EventDataReceived:
		if path, ok := o.pages[e.RequestID]; ok {
			o.sizes[path] += int(e.DataLength)
			if o.sizes[path] > maxPage {
				o.note("page of more than %d bytes: %s", maxPage, path)
				delete(o.pages, e.RequestID)
			}
		}
	}
}

func (o *observer) response(e *network.EventResponseReceived) {
	path := pathOf(e.Response.URL)
	for name, value := range e.Response.Headers {
		if strings.EqualFold(name, "Content-Security-Policy") {
			if fmt.Sprint(value) != policy {
				o.note("Content-Security-Policy of %s: %v", path, value)
			}
			if e.Type == network.ResourceTypeDocument {
				if o.pages == nil {
					o.pages, o.sizes = make(map[network.RequestID]string), make(map[string]int)
				}
				o.pages[e.RequestID], o.sizes[path] = path, 0
			}
			return
		}
	}
	o.note("no Content-Security-Policy: %s", path)
}

// pathOf returns a URL without its query, which may be the key.
func pathOf(url string) string {
	path, _, _ := strings.Cut(url, "?")
	return path
}

// take returns what was noted, and forgets it.
func (o *observer) take() []string {
	o.mu.Lock()
	defer o.mu.Unlock()
	all := o.problems
	o.problems = nil
	return all
}
