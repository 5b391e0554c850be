package shadow

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
)

// document is a JSON text of which nothing is lost.
type document struct {
	root  node
	after string // white space behind it
}

// node is a value with the bytes that it is written in.
type node struct {
	gap     string // white space, commas and colons before it
	raw     string // of a scalar, or of a key
	kind    jsonType
	text    string // of a string
	end     string // the gap before the bracket that closes it
	members []member
	items   []node
}

// member is a key with its value.
type member struct{ key, value node }

// jsonType is the type of a value, as far as clients can tell.
type jsonType string

const (
	typeNull    jsonType = "null"
	typeBoolean jsonType = "boolean"
	typeInteger jsonType = "integer"
	typeDecimal jsonType = "number with a fraction"
	typeString  jsonType = "string"
	typeList    jsonType = "list"
	typeObject  jsonType = "object"
)

// maxDepth bounds the recursion; no answer of an API is nested that deep.
const maxDepth = 100

// parser reads a document.
type parser struct {
	data []byte
	d    *json.Decoder
	at   int64
}

// parseJSON reads one JSON document.
func parseJSON(data []byte) (document, error) {
	p := &parser{data: data, d: json.NewDecoder(bytes.NewReader(data))}
	p.d.UseNumber()
	token, gap, raw, err := p.next()
	if err != nil {
		return document{}, err
	}
	root, err := p.value(token, gap, raw, 0)
	if err != nil {
		return document{}, err
	}
	if _, err := p.d.Token(); !errors.Is(err, io.EOF) {
		return document{}, errors.New("there is more after the JSON value")
	}
	return document{root, string(data[p.at:])}, nil
}

// next returns the next token, the gap before it and the bytes that it is written in.
func (p *parser) next() (token json.Token, gap, raw string, err error) {
	if token, err = p.d.Token(); err != nil {
		return nil, "", "", err
	}
	end := p.d.InputOffset()
	text := string(p.data[p.at:end])
	raw = strings.TrimLeft(text, " \t\r\n,:")
	p.at = end
	return token, text[:len(text)-len(raw)], raw, nil
}

// value reads the value that begins with a token.
func (p *parser) value(token json.Token, gap, raw string, depth int) (node, error) {
	n := node{gap: gap, raw: raw}
	switch t := token.(type) {
	case nil:
		n.kind = typeNull
	case bool:
		n.kind = typeBoolean
	case json.Number:
		if n.kind = typeInteger; strings.ContainsAny(raw, ".eE") {
			n.kind = typeDecimal
		}
	case string:
		n.kind, n.text = typeString, t
	case json.Delim:
		if depth == maxDepth {
			return n, fmt.Errorf("nested more than %d deep", maxDepth)
		}
		return n, p.below(&n, t == '{', depth+1)
	}
	return n, nil
}

// below reads what is in a list or an object.
func (p *parser) below(n *node, object bool, depth int) error {
	if n.kind = typeList; object {
		n.kind = typeObject
	}
	for {
		token, gap, raw, err := p.next()
		if err != nil {
			return err
		}
		if d, ok := token.(json.Delim); ok && (d == '}' || d == ']') {
			n.end = gap
			return nil
		}
		if !object {
			item, err := p.value(token, gap, raw, depth)
			if err != nil {
				return err
			}
			n.items = append(n.items, item)
			continue
		}
		key := node{gap: gap, raw: raw, kind: typeString}
		key.text, _ = token.(string)
		if token, gap, raw, err = p.next(); err != nil {
			return err
		}
		value, err := p.value(token, gap, raw, depth)
		if err != nil {
			return err
		}
		n.members = append(n.members, member{key, value})
	}
}
