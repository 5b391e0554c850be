package profiles

import (
	"bytes"
	"fmt"

	"gopkg.in/yaml.v3"
)

// YAML writes the profile as a file, with everything that its stack and the defaults
// decide. Parse makes the same profile of it. p has to come from Parse.
func (p *Profile) YAML() ([]byte, error) {
	var out bytes.Buffer
	fmt.Fprintf(&out, "# effective profile: %s\n", p.Name)
	for i, section := range p.sections() {
		if i > 0 {
			out.WriteByte('\n')
		}
		e := yaml.NewEncoder(&out)
		e.SetIndent(2)
		if err := e.Encode(section.node); err != nil {
			return nil, fmt.Errorf("write profile %s: %w", p.Name, err)
		}
		if err := e.Close(); err != nil {
			return nil, fmt.Errorf("write profile %s: %w", p.Name, err)
		}
	}
	return out.Bytes(), nil
}

// sections gives the parts of the file, which blank lines separate.
func (p *Profile) sections() []mapWriter {
	head := newMapWriter()
	head.text("name", p.Name)
	head.text("title", p.Title)
	head.text("document", p.Document)
	head.text("family", string(p.Family))
	head.text("stack", p.Stack)
	head.text("scheme", p.Scheme)
	head.set("tokens", p.Tokens.show())
	head.text("trailing_slash", string(p.TrailingSlash))
	head.text("other_paths", string(p.OtherPaths))
	head.text("throttling", string(p.Throttling))
	sections := []mapWriter{head}
	for _, part := range []struct {
		key     string
		content mapWriter
	}{
		{"headers", showHeaders(p.Headers)},
		{"preflight_headers", showHeaders(p.PreflightHeaders)},
		{"errors", p.Errors.show()},
		{"rules", p.Rules.show(p.Family)},
		{"endpoints", p.showEndpoints()},
		{"messages", p.Messages.show(p.Family)},
	} {
		if len(part.content.node.Content) > 0 {
			section := newMapWriter()
			section.set(part.key, part.content.node)
			sections = append(sections, section)
		}
	}
	return sections
}

func (t Tokens) show() *yaml.Node {
	s := newMapWriter()
	s.number("hex", t.Hex)
	s.text("ttl", writeTTL(t.TTL))
	s.flag("sliding", t.Sliding)
	s.text("per_user", string(t.PerUser))
	s.text("realm", t.Realm)
	s.text("match", string(t.Match))
	s.text("legacy_format", string(t.LegacyFormat))
	return fold(s.node, len("tokens: "))
}

func showHeaders(headers []Header) mapWriter {
	s := newMapWriter()
	for _, h := range headers {
		s.set(h.Name, quoted(h.Value))
	}
	return s
}

func (e Errors) show() mapWriter {
	s := newMapWriter()
	s.number("status", e.Status)
	if e.Body != nil {
		s.set("body", fold(e.Body.show(), len("  body: ")))
	}
	if e.Detail != nil {
		s.set("detail", fold(e.Detail.show(), len("  detail: ")))
	}
	return s
}

func (r Rules) show(f Family) mapWriter {
	s := newMapWriter()
	for _, rule := range rulesOf(f) {
		s.set(rule.key, rule.show(&r))
	}
	return s
}

func (m Messages) show(f Family) mapWriter {
	s := newMapWriter()
	for _, known := range messagesOf(f) {
		s.text(known.key, m[known.key])
	}
	return s
}

func (p *Profile) showEndpoints() mapWriter {
	s := newMapWriter()
	for _, e := range p.Endpoints {
		s.set(e.Name, e.show(p.Family))
	}
	return s
}

func (e Endpoint) show(f Family) *yaml.Node {
	const used = len("    ")
	s := newMapWriter()
	s.text("action", string(e.Action))
	s.text("path", e.Path)
	s.text("method", e.Method)
	s.text("access", string(e.Access))
	if isView(f, e.Action) {
		s.flag("authenticate", e.Authenticate)
		view := newMapWriter()
		view.text("name", e.View.Name)
		view.text("description", e.View.Description)
		view.flag("actions", e.View.Actions)
		s.set("view", fold(view.node, used+len("view: ")))
		s.set("renderers", fold(showWords(e.Renderers), used))
		s.set("parsers", fold(showWords(e.Parsers), used))
	}
	fields := newMapWriter()
	for _, field := range e.Fields {
		fields.set(field.Name, fold(field.show(), used+len("  : ")+len(field.Name)))
	}
	if len(e.Fields) > 0 {
		s.set("fields", fields.node)
	}
	reply := newMapWriter()
	reply.number("status", e.Reply.Status)
	if e.Reply.Body != nil {
		reply.set("body", e.Reply.Body.show())
	}
	s.set("reply", fold(reply.node, used+len("reply: ")))
	return s.node
}

func (f Field) show() *yaml.Node {
	s := newMapWriter()
	s.text("role", string(f.Role))
	if f.Role != RoleID {
		s.flag("required", f.Required)
	}
	if f.Role != RoleID && f.Role != RoleAccept {
		s.flag("blank", f.Blank)
		s.flag("trim", f.Trim)
		s.number("max_length", f.MaxLength)
	}
	if f.Role == RoleUsername {
		if f.Lower {
			s.flag("lower", f.Lower)
		}
		s.text("characters", string(f.Characters))
	}
	s.text("label", f.Label)
	s.text("help_text", f.HelpText)
	return s.node
}
