package conformance

import (
	"bytes"
	"cmp"
	"errors"
	"io"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"gopkg.in/yaml.v3"
)

// LoadFile reads the exchange file at a path. See Load.
func LoadFile(path string) (*File, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	return Load(path, data)
}

// Load reads an exchange file; the name is used in positions. The error is of type Problems and
// lists all of them: unknown keys, bad values, bad placeholders, undefined names.
func Load(name string, data []byte) (*File, error) {
	l := &loader{file: name}
	root := l.parse(data)
	if root == nil {
		return nil, l.problems
	}
	f := l.loadFile(root)
	if l.nodes >= maxNodes {
		l.problem(root, "", "has more than %d values, aliases counted where they are used", maxNodes)
	}
	l.checkNames(f)
	if len(l.problems) > 0 {
		slices.SortStableFunc(l.problems, func(a, b Problem) int {
			return cmp.Or(cmp.Compare(a.Position.Line, b.Position.Line), cmp.Compare(a.Position.Column, b.Position.Column))
		})
		return nil, slices.Compact(l.problems)
	}
	return f, nil
}

func (l *loader) parse(data []byte) *yaml.Node {
	d := yaml.NewDecoder(bytes.NewReader(data))
	var document, second yaml.Node
	if err := d.Decode(&document); err != nil {
		l.problems = append(l.problems, l.syntaxProblem(err))
		return nil
	}
	if err := d.Decode(&second); err == nil {
		l.problem(&second, "", "a file holds one YAML document")
	} else if !errors.Is(err, io.EOF) {
		l.problems = append(l.problems, l.syntaxProblem(err))
	}
	if len(l.problems) > 0 {
		return nil
	}
	return document.Content[0]
}

// syntaxProblem takes the line from the message of yaml.v3, which gives no column.
func (l *loader) syntaxProblem(err error) Problem {
	p := Problem{Position: Position{File: l.file, Line: 1, Column: 1}}
	p.Text = strings.TrimPrefix(err.Error(), "yaml: ")
	if errors.Is(err, io.EOF) {
		p.Text = "is empty"
	}
	if m := regexp.MustCompile(`^line ([0-9]+): `).FindStringSubmatch(p.Text); m != nil {
		p.Position.Line, _ = strconv.Atoi(m[1])
		p.Text = p.Text[len(m[0]):]
		// yaml.v3 3.0.1 counts the lines of its parser's errors, unlike its scanner's, from 0.
		if regexp.MustCompile(`^did not find expected (<|node content|'-' indicator|key|',' or)`).MatchString(p.Text) {
			p.Position.Line++
		}
	}
	return p
}

func (l *loader) loadFile(root *yaml.Node) *File {
	f := &File{Name: l.file}
	defaultResponse := func(key string, n *yaml.Node) {
		l.mapping(key, n, field{name: "headers", required: true, read: func(key string, n *yaml.Node) { f.defaultHeaders = l.headerWants(key, n) }})
	}
	l.mapping("", root,
		field{name: "profile", required: true, read: func(key string, n *yaml.Node) {
			f.Profile = l.matching(key, n, regexp.MustCompile(`^[a-z][a-z0-9-]*$`), "a profile's name")
		}},
		field{name: "usernames", required: true, read: func(key string, n *yaml.Node) {
			l.mapping(key, n, field{name: "max", required: true, read: func(key string, n *yaml.Node) { f.usernameMax = l.number(key, n, 20, 1000) }})
		}},
		field{name: "defaults", read: func(key string, n *yaml.Node) {
			l.mapping(key, n, field{name: "response", required: true, read: defaultResponse})
		}},
		field{name: "every_answer", now: "defaults.response", read: defaultResponse},
		field{name: "create_user", read: func(key string, n *yaml.Node) {
			s := l.loadStep(key, n, false)
			f.createUser = &s
		}},
		field{name: "exchanges", required: true, read: func(key string, n *yaml.Node) {
			l.items(key, n, func(at string, item *yaml.Node) { f.Exchanges = append(f.Exchanges, l.loadExchange(at, item)) })
		}},
	)
	l.addDefaults(f)
	return f
}

// addDefaults adds the default headers to each response that says nothing else of them, and
// requires every response to say something of Content-Type.
func (l *loader) addDefaults(f *File) {
	add := func(key string, s *step) {
		for _, h := range f.defaultHeaders {
			if !slices.ContainsFunc(s.response.headers, func(own headerWant) bool { return strings.EqualFold(own.name, h.name) }) {
				s.response.headers = append(s.response.headers, h)
			}
		}
		if !slices.ContainsFunc(s.response.headers, func(h headerWant) bool { return h.name == "Content-Type" }) {
			l.problems = append(l.problems, Problem{s.position, key + ".response.headers", "says nothing of Content-Type: give its value, ~ for none, or <any>"})
		}
	}
	if f.createUser != nil {
		add("create_user", f.createUser)
	}
	for i := range f.Exchanges {
		for k := range f.Exchanges[i].steps {
			add("exchanges["+strconv.Itoa(i)+"].steps["+strconv.Itoa(k)+"]", &f.Exchanges[i].steps[k])
		}
	}
}
