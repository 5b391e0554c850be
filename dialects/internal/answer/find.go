package answer

import (
	"encoding/json"
	"slices"
	"strings"
)

// Exactly returns the first of some answers that has the status and the body, byte for byte. ok is false if none has.
func Exactly(all []Answer, status int, body string) (found Answer, ok bool) {
	i := slices.IndexFunc(all, func(a Answer) bool { return a.Status == status && a.Body.Fits(body) })
	if i < 0 {
		return Answer{}, false
	}
	return all[i], true
}

// BySentence returns the answers that a JSON body has the sentences of, each at its place, however the JSON is written: one
// body can have the errors of several fields, and several of one. It is nil unless all sentences are found.
func BySentence(all []Answer, status int, body string) []Answer {
	var found []Answer
	for _, text := range textsOf(body) {
		i := slices.IndexFunc(all, func(a Answer) bool {
			if a.Status != status {
				return false
			}
			texts := textsOf(a.Body.String())
			return len(texts) == 1 && texts[0].path == text.path && a.Body.sentence().Fits(text.raw)
		})
		if i < 0 {
			return nil
		}
		if !slices.ContainsFunc(found, func(a Answer) bool { return a.equal(all[i]) }) {
			found = append(found, all[i])
		}
	}
	return found
}

// sentence returns the part of a text that is the profile's message.
func (t Text) sentence() Text {
	var sentence Text
	for _, part := range t {
		if part.Message != "" {
			sentence = append(sentence, part)
		}
	}
	return sentence
}

// jsonText is a text in JSON.
type jsonText struct {
	path string // keys, with dots
	raw  string // as it is written, without its quotes
}

// textsOf returns the texts in a JSON value but for keys; nil: it is none.
func textsOf(body string) []jsonText {
	w := textWalk{body: body, tokens: json.NewDecoder(strings.NewReader(body))}
	if !w.value("") {
		return nil
	}
	return w.found
}

// textWalk goes through the tokens of a JSON text, of which the decoder knows where they are.
type textWalk struct {
	body   string
	tokens *json.Decoder
	found  []jsonText
}

// value reads one value. It fails where the JSON is broken.
func (w *textWalk) value(path string) bool {
	before := w.tokens.InputOffset()
	token, err := w.tokens.Token()
	if err != nil {
		return false
	}
	switch token {
	case json.Delim('{'):
		return w.object(path)
	case json.Delim('['):
		return w.list(path)
	}
	if _, isText := token.(string); isText {
		raw := w.body[before:w.tokens.InputOffset()]
		w.found = append(w.found, jsonText{path, raw[strings.IndexByte(raw, '"')+1 : len(raw)-1]})
	}
	return true
}

func (w *textWalk) object(path string) bool {
	for w.tokens.More() {
		key, err := w.tokens.Token()
		if err != nil || !w.value(path+"."+key.(string)) {
			return false
		}
	}
	_, err := w.tokens.Token()
	return err == nil
}

func (w *textWalk) list(path string) bool {
	for w.tokens.More() {
		if !w.value(path) {
			return false
		}
	}
	_, err := w.tokens.Token()
	return err == nil
}
