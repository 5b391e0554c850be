package conformance

import "github.com/authcompat/authcompat/conformance/internal/template"

// A Given is what a file for a run gives: what exchange files must not have. By the names that
// exchanges use, users of the server, and the values of variables.
type Given struct {
	Users     map[string]User
	Variables map[string]string
}

// LoadGiven reads such a file; the name is used in positions. The error is of type Problems and lists
// all of them. It quotes no value.
//
//	users:
//	  user1: {username: john, password: secret, email: john@example.com}
//	variables:
//	  given1: 9944b09199c62bcf9418ad846dd0e4bbdfc6ee4b
func LoadGiven(name string, data []byte) (*Given, error) {
	r := newReader(name)
	g := &Given{Users: map[string]User{}, Variables: map[string]string{}}
	if root, ok := r.Read(data); ok && len(r.Problems) == 0 {
		g.load(value{root})
	}
	if len(r.Problems) > 0 {
		r.Problems.Sort()
		return nil, r.Problems
	}
	return g, nil
}

func (g *Given) load(v value) {
	named := func(v value, read func(name string, v value)) {
		for entry := range v.entries() {
			if !template.IsName(entry.Name) {
				entry.Refuse("is no name of an exchange file: small letters, digits and underscores")
			}
			read(entry.Name, value{entry.Value})
		}
	}
	v.mapping(
		field{name: "users", read: func(v value) {
			named(v, func(name string, v value) {
				var u User
				v.mapping(
					field{name: "username", required: true, read: func(v value) { u.Username = v.filled() }},
					field{name: "password", required: true, read: func(v value) { u.Password = v.filled() }},
					field{name: "email", read: func(v value) { u.Email = v.filled() }},
				)
				g.Users[name] = u
			})
		}},
		field{name: "variables", read: func(v value) {
			named(v, func(name string, v value) { g.Variables[name] = v.filled() })
		}},
	)
}
