package pyjson

import "iter"

// Int is an integer of any size as canonical decimal text: an optional minus
// sign, then digits without leading zeros; zero is "0".
type Int string

// Object is a JSON object with its keys in order. A key that is set again
// keeps its place and takes the new value, as in a Python dict. The zero value
// is an empty object. An Object must not be changed by two goroutines at once.
type Object struct {
	members []member
	index   map[string]int // place of each key, once there are many
}

type member struct {
	key   string
	value any
}

// indexFrom is the number of members from which a map is quicker than a scan,
// and without which a hostile object would take quadratic time.
const indexFrom = 12

// Set gives key a value and returns the object, so that calls can be chained.
func (o *Object) Set(key string, value any) *Object {
	if i := o.find(key); i >= 0 {
		o.members[i].value = value
		return o
	}
	if o.members == nil {
		o.members = make([]member, 0, 4)
	}
	o.members = append(o.members, member{key, value})
	switch n := len(o.members); {
	case o.index != nil:
		o.index[key] = n - 1
	case n == indexFrom:
		o.index = make(map[string]int, 2*n)
		for i, m := range o.members {
			o.index[m.key] = i
		}
	}
	return o
}

// Get returns the value of key and whether the object has that key.
func (o *Object) Get(key string) (value any, ok bool) {
	if i := o.find(key); i >= 0 {
		return o.members[i].value, true
	}
	return nil, false
}

// Len returns the number of keys.
func (o *Object) Len() int { return len(o.members) }

// All yields keys and values in order.
func (o *Object) All() iter.Seq2[string, any] {
	return func(yield func(string, any) bool) {
		for _, m := range o.members {
			if !yield(m.key, m.value) {
				return
			}
		}
	}
}

// find returns the place of key, or -1.
func (o *Object) find(key string) int {
	if o.index != nil {
		if i, ok := o.index[key]; ok {
			return i
		}
		return -1
	}
	for i := range o.members {
		if o.members[i].key == key {
			return i
		}
	}
	return -1
}
