package record

import (
	"bytes"
	"fmt"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"

	"github.com/authcompat/authcompat/conformance"
	"github.com/authcompat/authcompat/conformance/internal/jsontree"
)

func text(value string) *yaml.Node {
	return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Style: yaml.DoubleQuotedStyle, Value: value}
}

func plain(value, tag string) *yaml.Node {
	return &yaml.Node{Kind: yaml.ScalarNode, Tag: tag, Value: value}
}

func mapping(flow bool, pairs ...*yaml.Node) *yaml.Node {
	n := &yaml.Node{Kind: yaml.MappingNode, Tag: "!!map", Content: pairs}
	if flow {
		n.Style = yaml.FlowStyle
	}
	return n
}

func list() *yaml.Node { return &yaml.Node{Kind: yaml.SequenceNode, Tag: "!!seq"} }

func key(name string) *yaml.Node {
	if plainKey().MatchString(name) && !slices.Contains([]string{"y", "n", "yes", "no", "on", "off", "true", "false", "null"}, strings.ToLower(name)) {
		return plain(name, "!!str")
	}
	return text(name)
}

// numberForm matches the numbers of JSON that YAML reads as numbers, too.
var numberForm = pattern(`^-?(0|[1-9][0-9]*)(\.[0-9]+)?$`)

// encode writes the file, of the sequences with the given indexes or, with nil, all, without those that
// have the same text as an earlier one.
func (d *Draft) encode(only []int) ([]byte, Summary, error) {
	summary := Summary{Calls: len(d.calls), Sequences: len(d.sequences), Unfit: map[string]int{}, Compressed: d.compressed, InPlace: d.vault.inPlaceOnly()}
	defaults, written := d.responseHeaders()
	seen := map[string]bool{}
	exchanges := list()
	values := count(d.file(exchanges, defaults))
	scan := d.scanner()
	for i, s := range d.sequences {
		if only != nil && !slices.Contains(only, i) {
			continue
		}
		node := d.exchange(s, defaults, written)
		if only == nil && scan.find(node) != nil {
			summary.Dropped++
			continue
		}
		shape, err := shapeOf(node)
		if err != nil {
			return nil, summary, err
		}
		if only == nil && seen[shape] {
			summary.Same++
			continue
		}
		seen[shape] = true
		// What one client sends must not spoil the exchanges of others.
		if !d.loads(node, defaults) {
			summary.Unwritable++
			continue
		}
		more := count(node)
		if values+more > conformance.MaxValues {
			summary.Beyond++
			continue
		}
		values += more
		switch {
		case s.unfit != "":
			summary.Unfit[s.unfit]++
		case len(s.variables) > 0:
			summary.Given++
		}
		summary.Exchanges++
		exchanges.Content = append(exchanges.Content, node)
	}
	data, err := encodeYAML(d.file(exchanges, defaults))
	return data, summary, err
}

// file is the exchange file with these exchanges.
func (d *Draft) file(exchanges *yaml.Node, defaults map[string][]string) *yaml.Node {
	root := mapping(false, key("profile"), plain(d.options.Profile, "!!str"),
		key("usernames"), mapping(true, key("max"), plain(fmt.Sprint(d.options.UsernameMax), "!!int")))
	if headers := headersNode(defaults); headers != nil {
		root.Content = append(root.Content, key("defaults"), mapping(false, key("response"), mapping(false, key("headers"), headers)))
	}
	root.Content = append(root.Content, key("exchanges"), exchanges)
	root.HeadComment = head
	return root
}

// loads reports whether an exchange can stand in a file: it may be nested too deep, for instance.
func (d *Draft) loads(exchange *yaml.Node, defaults map[string][]string) bool {
	exchanges := list()
	exchanges.Content = append(exchanges.Content, exchange)
	data, err := encodeYAML(d.file(exchanges, defaults))
	if err != nil {
		return false
	}
	_, err = conformance.Load("the recording", data)
	return err == nil
}

// count returns the number of values that conformance.MaxValues counts.
func count(n *yaml.Node) int {
	all := 1
	for _, inner := range n.Content {
		all += count(inner)
	}
	return all
}

func encodeYAML(root *yaml.Node) ([]byte, error) {
	var b bytes.Buffer
	encoder := yaml.NewEncoder(&b)
	encoder.SetIndent(2)
	if err := encoder.Encode(root); err != nil {
		return nil, err
	}
	return b.Bytes(), encoder.Close()
}

const head = `Recorded by authcompat conformance record. Passwords, tokens and cookies are made up here: what a
running server wants is given to conformance run in the file of --given.
docs/conformance.md explains it.`

// shapeOf returns the text of an exchange without its name, and with its users by their order.
func shapeOf(node *yaml.Node) (string, error) {
	without := *node
	without.Content = node.Content[2:]
	raw, err := yaml.Marshal(&without)
	if err != nil {
		return "", err
	}
	names := map[string]string{}
	shape := madeUpName().ReplaceAllStringFunc(string(raw), func(name string) string {
		if names[name] == "" {
			names[name] = fmt.Sprint("name", len(names))
		}
		return names[name]
	})
	// Made-up passwords of users differ without a meaning.
	return madeUpPassword().ReplaceAllString(shape, "password"), nil
}

// exchange writes one exchange.
func (d *Draft) exchange(s *sequence, defaults map[string][]string, written map[int]map[string][]string) *yaml.Node {
	n := mapping(false, key("name"), text(s.name), key("source"), text(d.options.Source))
	if s.unfit != "" {
		n.Content = append(n.Content, key("not_replayable"), text(s.unfit))
	}
	if len(s.variables) > 0 {
		variables := mapping(false)
		for _, v := range s.variables {
			variables.Content = append(variables.Content, key(v.name), text(variableReason))
		}
		n.Content = append(n.Content, key("variables"), variables)
	}
	if users := d.users(s); len(users.Content) > 0 {
		n.Content = append(n.Content, key("users"), users)
	}
	r := d.renderer(s)
	steps := list()
	for position := range s.calls {
		steps.Content = append(steps.Content, d.step(r, s, position, defaults, written))
	}
	n.Content = append(n.Content, key("steps"), steps)
	return n
}

func (d *Draft) renderer(s *sequence) *renderer {
	r := &renderer{d: d, s: s, refs: map[*secret]string{}, ids: map[string]string{}}
	for _, v := range s.variables {
		r.refs[v.secret] = v.name
	}
	return r
}

// users writes the users of a sequence.
func (d *Draft) users(s *sequence) *yaml.Node {
	users := mapping(false)
	for _, p := range s.people {
		u := mapping(true)
		if p.written != p.name {
			u.Content = append(u.Content, key("username"), text(p.written))
		}
		if secret := d.vault.secrets[p.password]; p.known && secret != nil {
			b := templateWriter{}
			b.literal(secret.shadow)
			u.Content = append(u.Content, key("password"), text(b.String()))
		}
		switch {
		case p.registered || !p.known:
			u.Content = append(u.Content, key("new"), plain("true", "!!bool"))
		case p.email != "":
			u.Content = append(u.Content, key("email"), text(p.name+"@example.com"))
		}
		if p.changed && !p.registered {
			u.Content = append(u.Content, key("dedicated"), plain("true", "!!bool"))
		}
		users.Content = append(users.Content, key(p.name), u)
	}
	return users
}

// jsonNode writes a JSON value. It reports whether YAML can hold it as it is.
func jsonNode(name string, v jsontree.Value, write func(name, path string, v jsontree.Value) *yaml.Node, path string) (*yaml.Node, bool) {
	switch v.Kind {
	case jsontree.Object:
		n := mapping(false)
		if len(v.Members) == 0 {
			n.Style = yaml.FlowStyle
		}
		seen := map[string]bool{}
		for _, m := range v.Members {
			if seen[m.Key] || m.Key == "<<" {
				return nil, false
			}
			seen[m.Key] = true
			inner, ok := jsonNode(m.Key, m.Value, write, path+"."+m.Key)
			if !ok {
				return nil, false
			}
			n.Content = append(n.Content, key(m.Key), inner)
		}
		return n, true
	case jsontree.Array:
		n := list()
		if len(v.Items) == 0 {
			n.Style = yaml.FlowStyle
		}
		for i, item := range v.Items {
			inner, ok := jsonNode(name, item, write, fmt.Sprintf("%s[%d]", path, i))
			if !ok {
				return nil, false
			}
			n.Content = append(n.Content, inner)
		}
		return n, true
	case jsontree.Null:
		return plain("null", "!!null"), true
	case jsontree.Bool:
		return plain(v.Text, "!!bool"), true
	}
	if v.Kind == jsontree.Number && !numberForm().MatchString(v.Text) {
		return nil, false
	}
	return write(name, path, v), true
}

func number(value string) *yaml.Node {
	if strings.Contains(value, ".") {
		return plain(value, "!!float")
	}
	return plain(value, "!!int")
}

// headersNode writes what is expected of headers; nil if that is nothing.
func headersNode(headers map[string][]string) *yaml.Node {
	n := mapping(false)
	for _, name := range sortedKeys(headers) {
		n.Content = append(n.Content, text(name), wanted(headers[name]))
	}
	if len(n.Content) == 0 {
		return nil
	}
	return n
}

// wanted writes what is expected of one header: with no values, that it is absent.
func wanted(values []string) *yaml.Node {
	switch len(values) {
	case 0:
		return plain("~", "!!null")
	case 1:
		return text(values[0])
	}
	n := list()
	for _, value := range values {
		n.Content = append(n.Content, text(value))
	}
	return n
}
