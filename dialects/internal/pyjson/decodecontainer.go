package pyjson

// frame is a container that is being read.
type frame struct {
	object *Object // nil: it is an array
	key    string  // of the object's next value
	items  []any   // of the array
}

// value returns the container as it is.
func (f *frame) value() any {
	if f.object != nil {
		return f.object
	}
	return f.items
}

// value reads any value, without blanks around it. Open containers are kept in a slice: were
// each a call, one deep body would leave a connection's goroutine with a stack of hundreds
// of KB for as long as it lives.
func (s *scanner) value() (value any, err error) {
	var few [2]frame
	open := few[:0]
	for {
		if s.at('{') || s.at('[') {
			f, empty, err := s.enter(len(open))
			if err != nil {
				return nil, err
			}
			if !empty {
				open = append(open, f)
				continue
			}
			value = f.value()
		} else if value, err = s.scalar(); err != nil {
			return nil, err
		}
		for ; len(open) > 0; open = open[:len(open)-1] {
			f := &open[len(open)-1]
			more, err := s.add(f, value)
			if err != nil {
				return nil, err
			}
			if more {
				break
			}
			value = f.value()
		}
		if len(open) == 0 {
			return value, nil
		}
	}
}

// enter reads an opening bracket inside as many containers, up to the first value, or to
// the closing bracket of an empty container.
func (s *scanner) enter(depth int) (f frame, empty bool, err error) {
	if depth == s.most {
		return f, false, &DepthError{Limit: s.most}
	}
	closing := byte(']')
	if s.at('{') {
		f.object, closing = new(Object), '}'
	} else {
		f.items = []any{}
	}
	s.pos++
	s.skipBlanks()
	if s.at(closing) {
		s.pos++
		return f, true, nil
	}
	if err := s.unclosed(); err != nil {
		return f, false, err
	}
	if f.object != nil {
		f.key, err = s.key()
	}
	return f, false, err
}

// add gives a container its next value, and reads on: to the value after it if there is
// more.
func (s *scanner) add(f *frame, value any) (more bool, err error) {
	if f.object == nil {
		f.items = append(f.items, value)
		return s.next(']', "array")
	}
	f.object.Set(f.key, value)
	if more, err = s.next('}', "object"); more && err == nil {
		f.key, err = s.key()
	}
	return more, err
}

// key reads the key of a member, up to its value.
func (s *scanner) key() (string, error) {
	if !s.at('"') {
		return "", s.fail("Expecting property name enclosed in double quotes", s.pos)
	}
	key, err := s.str()
	if err != nil {
		return "", err
	}
	s.skipBlanks()
	if !s.at(':') {
		return "", s.fail("Expecting ':' delimiter", s.pos)
	}
	s.pos++
	s.skipBlanks()
	return key, nil
}

// next reads what follows a member: the closing bracket, or a comma and blanks.
func (s *scanner) next(closing byte, kind string) (more bool, err error) {
	s.skipBlanks()
	if s.at(closing) {
		s.pos++
		return false, nil
	}
	if err := s.unclosed(); err != nil {
		return false, err
	}
	if !s.at(',') {
		return false, s.fail("Expecting ',' delimiter", s.pos)
	}
	comma := s.pos
	s.pos++
	s.skipBlanks()
	if s.options.Python == Python313 && s.at(closing) {
		return false, s.fail("Illegal trailing comma before end of "+kind, comma)
	}
	return true, s.unclosed()
}

// unclosed is Python 2's error for a text that ends inside a container; it
// points at the last character, which is always ASCII there. Python 3 names
// what it expected instead.
func (s *scanner) unclosed() error {
	if !s.python2() || !s.atEnd() {
		return nil
	}
	return s.fail("Expecting object", len(s.text)-1)
}
