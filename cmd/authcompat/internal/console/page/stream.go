package page

import (
	"encoding/json"
	"fmt"
	"net/http"
	"time"
)

// writePatience is how long a client may take to take an event before it is given up.
const writePatience = 10 * time.Second

// StreamType is the media type of a Stream.
const StreamType = "text/event-stream; charset=utf-8"

// A Stream is a response without an end, of events that the script's function follow listens to
// (https://html.spec.whatwg.org/multipage/server-sent-events.html). It ends when its handler returns,
// which has to be when the request's context ends.
type Stream struct {
	w       http.ResponseWriter
	control *http.ResponseController
}

// NewStream begins a stream, for which the deadlines of the server do not hold any more.
func NewStream(w http.ResponseWriter) (*Stream, error) {
	s := &Stream{w, http.NewResponseController(w)}
	if err := s.control.SetReadDeadline(time.Time{}); err != nil { // else the request's context ends with it
		return nil, err
	}
	w.Header().Set("Content-Type", StreamType)
	w.WriteHeader(http.StatusOK)
	return s, s.Comment()
}

// Send sends an event of a type, with data as JSON. The error is that of a client that is gone or too slow.
func (s *Stream) Send(event string, data any) error {
	text, err := json.Marshal(data)
	if err != nil {
		return err
	}
	return s.write(fmt.Sprintf("event: %s\ndata: %s\n\n", event, text))
}

// Comment sends what a client ignores, so that one that is gone is noticed.
func (s *Stream) Comment() error { return s.write(":\n\n") }

func (s *Stream) write(text string) error {
	if err := s.control.SetWriteDeadline(time.Now().Add(writePatience)); err != nil {
		return err
	}
	if _, err := s.w.Write([]byte(text)); err != nil {
		return err
	}
	return s.control.Flush()
}
