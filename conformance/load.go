package conformance

import (
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/authcompat/authcompat/profiles/yamlfile"
)

// Load reads an exchange file; the name is used in positions. The error is of type Problems and
// lists all of them: unknown keys, bad values, bad placeholders, undefined names.
func Load(name string, data []byte) (*File, error) {
	r := newReader(name)
	f := &File{Name: name}
	// What stands before broken YAML, or before a second document, may be half a file.
	if root, ok := r.Read(data); ok && len(r.Problems) == 0 {
		f.load(value{root})
		f.addDefaults(r)
		f.checkNames(r)
	}
	if len(r.Problems) > 0 {
		r.Problems.Sort()
		return nil, slices.Compact(r.Problems)
	}
	return f, nil
}

// Outline returns what Load reads: all keys of exchange files, and their values.
func Outline() *yamlfile.Outline {
	r := newReader("")
	r.Outline = yamlfile.NewOutline()
	if root, ok := r.Read([]byte("{}")); ok {
		new(File).load(value{root}) // its problems mean nothing
	}
	return r.Outline
}

func (f *File) load(v value) {
	defaultResponse := func(v value) {
		v.mapping(field{name: "headers", required: true, read: func(v value) { f.defaultHeaders = v.headerWants() }})
	}
	v.mapping(
		field{name: "profile", required: true, read: func(v value) {
			f.Profile = v.matching(regexp.MustCompile(`^[a-z][a-z0-9-]*$`), "a profile's name")
		}},
		field{name: "usernames", required: true, read: func(v value) {
			v.mapping(field{name: "max", required: true, read: func(v value) { f.usernameMax = v.number(20, 1000) }})
		}},
		field{name: "defaults", read: func(v value) {
			v.mapping(field{name: "response", required: true, read: defaultResponse})
		}},
		field{name: "every_answer", now: "defaults.response", read: defaultResponse},
		field{name: "create_user", read: func(v value) {
			s := loadStep(v, false)
			f.createUser = &s
		}},
		field{name: "exchanges", required: true, read: func(v value) {
			for _, exchange := range v.items() {
				f.Exchanges = append(f.Exchanges, loadExchange(exchange))
			}
		}},
	)
}

// addDefaults adds the default headers to each response that says nothing else of them, and
// requires every response to say something of Content-Type.
func (f *File) addDefaults(r *yamlfile.Reader) {
	add := func(key string, s *step) {
		for _, h := range f.defaultHeaders {
			if !slices.ContainsFunc(s.response.headers, func(own headerWant) bool { return strings.EqualFold(own.name, h.name) }) {
				s.response.headers = append(s.response.headers, h)
			}
		}
		if !slices.ContainsFunc(s.response.headers, func(h headerWant) bool { return strings.EqualFold(h.name, "Content-Type") }) {
			r.Add(s.position, key+".response.headers", "says nothing of Content-Type: give its value, ~ for none, or <any>")
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
