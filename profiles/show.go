package profiles

import (
	"bytes"
	"fmt"
	"slices"

	"gopkg.in/yaml.v3"

	"github.com/authcompat/authcompat/profiles/internal/yamlnode"
)

// YAML writes the profile as a file, with everything that its stack and the defaults
// decide. Parse makes the same profile of it. p has to come from Parse.
func (p *Profile) YAML() ([]byte, error) {
	text, err := writeSections("# effective profile: "+p.Name+"\n", p.sections())
	if err != nil {
		return nil, fmt.Errorf("write profile %s: %w", p.Name, err)
	}
	return text, nil
}

// writeSections writes the parts of a file behind a comment, with blank lines between them.
func writeSections(comment string, sections []yamlnode.Map) ([]byte, error) {
	var out bytes.Buffer
	out.WriteString(comment)
	for i, section := range sections {
		if i > 0 {
			out.WriteByte('\n')
		}
		e := yaml.NewEncoder(&out)
		e.SetIndent(2)
		if err := e.Encode(section.Node); err != nil {
			return nil, err
		}
		if err := e.Close(); err != nil {
			return nil, err
		}
	}
	return out.Bytes(), nil
}

// sections gives the parts of the file, which blank lines separate.
func (p *Profile) sections() []yamlnode.Map {
	head := yamlnode.NewMap()
	head.Text("name", p.Name)
	head.Text("title", p.Title)
	head.Text("document", p.Document)
	head.Text("family", string(p.Family))
	head.Text("stack", p.Stack)
	head.Text("scheme", p.Scheme)
	if p.Family.oneOf(DRF, FormJSON) {
		head.Set("authentication", yamlnode.Fold(p.showAuthentication(p.Authentication), len("authentication: ")))
	}
	head.Set("tokens", p.Tokens.show())
	if shown := p.Passwords.show(); len(shown.Node.Content) > 0 {
		head.Set("passwords", yamlnode.Fold(shown.Node, len("passwords: ")))
	}
	p.showNames(head)
	if shown := showAttributes(p.Attributes); len(shown.Node.Content) > 0 {
		head.Set("attributes", yamlnode.Fold(shown.Node, len("attributes: ")))
	}
	if p.Mails.Links != "" {
		head.Set("mails", p.Mails.show())
	}
	head.Text("trailing_slash", string(p.TrailingSlash))
	head.Text("other_paths", string(p.OtherPaths))
	head.Text("throttling", string(p.Throttling))
	sections := []yamlnode.Map{head}
	for _, part := range []struct {
		key     string
		content yamlnode.Map
	}{
		{"headers", showHeaders(p.Headers)},
		{"preflight_headers", showHeaders(p.PreflightHeaders)},
		{"cors", p.CORS.show()},
		{"formats", showFormats(p.Formats)},
		{"errors", p.Errors.show()},
		{"rules", p.Rules.show(p.Family)},
		{"endpoints", p.showEndpoints()},
		{"messages", p.Messages.show(p.Family)},
	} {
		if len(part.content.Node.Content) > 0 {
			section := yamlnode.NewMap()
			section.Set(part.key, part.content.Node)
			sections = append(sections, section)
		}
	}
	return sections
}

func showHeaders(headers []Header) yamlnode.Map {
	s := yamlnode.NewMap()
	for _, h := range headers {
		s.Set(h.Name, yamlnode.Quoted(h.Value))
	}
	return s
}

func (e Errors) show() yamlnode.Map {
	s := yamlnode.NewMap()
	s.Number("status", e.Status)
	s.Text("non_field", e.NonField)
	if e.Body != nil {
		s.Set("body", yamlnode.Fold(e.Body.Node(), len("  body: ")))
	}
	if e.Detail != nil {
		s.Set("detail", yamlnode.Fold(e.Detail.Node(), len("  detail: ")))
	}
	return s
}

func (r Rules) show(f Family) yamlnode.Map {
	s := yamlnode.NewMap()
	for _, rule := range rulesOf(f) {
		s.Set(rule.key, rule.show(&r))
	}
	return s
}

func (m Messages) show(f Family) yamlnode.Map {
	s := yamlnode.NewMap()
	for _, known := range messagesOf(f) {
		if _, there := m[known.key]; there || !known.optional() {
			s.Text(known.key, m[known.key])
		}
	}
	return s
}

func (p *Profile) showEndpoints() yamlnode.Map {
	s := yamlnode.NewMap()
	for _, e := range p.Endpoints {
		s.Set(e.Name, p.showEndpoint(e))
	}
	return s
}

func (p *Profile) showEndpoint(e Endpoint) *yaml.Node {
	const used = len("    ")
	s := yamlnode.NewMap()
	s.Text("action", string(e.Action))
	s.Text("path", e.Path)
	if len(e.Methods) == 1 {
		s.Text("method", e.Methods[0])
	} else {
		s.Set("methods", yamlnode.Fold(yamlnode.Words(e.Methods), used))
	}
	if e.TrailingSlash != p.TrailingSlash {
		s.Text("trailing_slash", string(e.TrailingSlash))
	}
	s.Text("access", string(e.Access))
	if isView(p.Family, e.Action) {
		if !slices.Equal(e.Authentication, p.Authentication) {
			s.Set("authentication", yamlnode.Fold(p.showAuthentication(e.Authentication), used))
		}
		view := yamlnode.NewMap()
		view.Text("name", e.View.Name)
		view.Text("description", e.View.Description)
		if e.View.ActionsOf != "" {
			view.Text("actions", e.View.ActionsOf)
		} else {
			view.Flag("actions", e.View.Actions)
		}
		view.Text("access", string(e.View.Access))
		if e.View.Allow != nil {
			view.Set("allow", yamlnode.Words(e.View.Allow))
		}
		s.Set("view", yamlnode.Fold(view.Node, used+len("view: ")))
		s.Set("renderers", yamlnode.Fold(yamlnode.Words(e.Renderers), used))
		s.Set("parsers", yamlnode.Fold(yamlnode.Words(e.Parsers), used))
	}
	s.Text("others", string(e.Others))
	if e.UpdateLastLogin {
		s.Flag("update_last_login", true)
	}
	if e.Action == SetPassword {
		s.Flag("logout", e.Logout)
	}
	fields := yamlnode.NewMap()
	for _, field := range e.Fields {
		fields.Set(field.Name, yamlnode.Fold(field.show(), used+len("  : ")+len(field.Name)))
	}
	if len(e.Fields) > 0 {
		s.Set("fields", fields.Node)
	}
	reply := yamlnode.NewMap()
	reply.Number("status", e.Reply.Status)
	if e.Reply.Body != nil {
		reply.Set("body", e.Reply.Body.Node())
	}
	s.Set("reply", yamlnode.Fold(reply.Node, used+len("reply: ")))
	return s.Node
}

func (f Field) show() *yaml.Node {
	s := yamlnode.NewMap()
	s.Text("role", string(f.Role))
	s.Text("attribute", f.Attribute)
	if f.ReadOnly {
		s.Flag("read_only", f.ReadOnly)
	} else if !f.Role.ReadOnly() {
		s.Flag("required", f.Required)
	}
	if f.AnyText {
		s.Flag("validate", false)
	}
	if f.Ignored {
		s.Flag("ignored", true)
	}
	if f.isText() {
		s.Flag("blank", f.Blank)
		s.Flag("trim", f.Trim)
		s.Number("min_length", f.MinLength)
		s.Number("max_length", f.MaxLength)
	}
	if f.Role == RoleUsername {
		if f.Lower {
			s.Flag("lower", f.Lower)
		}
		s.Text("characters", string(f.Characters))
	}
	s.Text("label", f.Label)
	s.Text("help_text", f.HelpText)
	return s.Node
}
