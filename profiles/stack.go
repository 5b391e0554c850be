package profiles

import (
	"fmt"
	"io/fs"
	"slices"
	"strings"

	"github.com/authcompat/authcompat/profiles/internal/yamlnode"
	"github.com/authcompat/authcompat/profiles/internal/yamlvalue"
)

// stackFolder is the folder of the stacks among the built-in files.
const stackFolder = "stacks"

// stack is the behaviour of one version of the original software, with the stacks that
// it extends merged in.
type stack struct {
	family   Family
	errors   Errors
	rules    Rules
	messages Messages
}

// stackLoader reads stacks, and collects their problems.
type stackLoader struct {
	files    fs.FS
	problems []Problem
}

// name reads the name of an existing stack.
func (l *stackLoader) name(v yamlvalue.Value) (string, bool) {
	return yamlvalue.Word(names(l.files, stackFolder)...)(v)
}

// load reads an existing stack; below are those that extend it.
func (l *stackLoader) load(name string, below ...string) (stack, error) {
	s := stack{messages: Messages{}}
	r := newReader(stackFolder + "/" + name + ".yaml")
	defer func() { l.problems = append(l.problems, r.Problems...) }()
	data, err := fs.ReadFile(l.files, r.File)
	if err != nil {
		return s, fmt.Errorf("read stack: %w", err)
	}
	root, ok := readRoot(r, data)
	if !ok {
		return s, nil
	}
	m := root.Mapping()
	yamlvalue.Required(m, "stack", new(string), yamlvalue.Word(name))
	below = append(below, name)
	v, extends := m.Get("extends")
	if extends {
		m.Forbid("family", "is that of the stack that this one extends")
		s, err = l.extend(v, below)
	} else {
		yamlvalue.Required(m, "family", &s.family, yamlvalue.Word(DRF, FormJSON, PlainJSON))
	}
	if err != nil {
		return s, err
	}
	s.read(m, !extends)
	m.Done()
	return s, nil
}

// Stacks gives the names of the stacks, sorted.
func Stacks() []string { return names(builtin, stackFolder) }

// StackYAML writes the stack with that name as a file, with everything that the stacks which it extends decide.
// The error is one of fs.ErrNotExist where there is none.
func StackYAML(name string) ([]byte, error) {
	l := stackLoader{files: builtin}
	s, err := l.load(name)
	if err == nil {
		err = problemsOf(l.problems)
	}
	if err != nil {
		return nil, err
	}
	head := yamlnode.NewMap()
	head.Text("stack", name)
	head.Text("family", string(s.family))
	sections := []yamlnode.Map{head}
	for _, part := range []struct {
		key     string
		content yamlnode.Map
	}{{"errors", s.errors.show()}, {"rules", s.rules.show(s.family)}, {"messages", s.messages.show(s.family)}} {
		if len(part.content.Node.Content) > 0 {
			section := yamlnode.NewMap()
			section.Set(part.key, part.content.Node)
			sections = append(sections, section)
		}
	}
	return writeSections("# effective stack: "+name+"\n", sections)
}

// extend loads the stack that another one names.
func (l *stackLoader) extend(v yamlvalue.Value, below []string) (stack, error) {
	name, ok := l.name(v)
	if ok && slices.Contains(below, name) {
		v.Refuse("stacks extend each other in a circle: %s", strings.Join(append(below, name), ", "))
		ok = false
	}
	if !ok {
		return stack{messages: Messages{}}, nil
	}
	return l.load(name, below...)
}

// read reads the contents of a stack over those of the stack that it extends. One that
// extends none has to have all rules and messages of its family (all).
func (s *stack) read(m *yamlvalue.Map, all bool) {
	if v, ok := m.Get("errors"); ok {
		readErrors(v, s.family, &s.errors)
	}
	get := m.Get
	if all {
		get = m.Need
	}
	if v, ok := get("rules"); ok {
		readRules(v, s.family, &s.rules, all)
	}
	if v, ok := get("messages"); ok {
		readMessages(v, s.family, s.messages, all)
	}
}
