package yamlvalue

import (
	"slices"
	"strings"
)

// Word reads one word of a closed set.
func Word[T ~string](words ...T) func(Value) (T, bool) {
	return func(v Value) (T, bool) {
		for _, w := range words {
			v.Shape().Words(string(w))
		}
		if v.IsText() && slices.Contains(words, T(v.Node.Value)) {
			return T(v.Node.Value), true
		}
		v.Want("%s", Either(words))
		return "", false
	}
}

// Words reads a list of one or more words of a closed set, none of them twice.
func Words[T ~string](known ...T) func(Value) ([]T, bool) {
	return func(v Value) ([]T, bool) {
		items, isList := v.Items()
		if !isList {
			v.Want("a list of %s", Either(known))
			return nil, false
		}
		if len(items) == 0 {
			v.Refuse("is empty: want at least one of %s", Either(known))
			return nil, false
		}
		good := true
		var list []T
		for _, item := range items {
			w, ok := Word(known...)(Of(item))
			if ok && slices.Contains(list, w) {
				item.Refuse("stands here twice")
				ok = false
			}
			good = good && ok
			list = append(list, w)
		}
		return list, good
	}
}

// Either lists words as "a, b or c".
func Either[T ~string](words []T) string {
	last := len(words) - 1
	var out strings.Builder
	for i, w := range words {
		switch {
		case i > 0 && i == last:
			out.WriteString(" or ")
		case i > 0:
			out.WriteString(", ")
		}
		out.WriteString(string(w))
	}
	return out.String()
}

// List writes words with commas.
func List[T ~string](words []T) string {
	texts := make([]string, len(words))
	for i, w := range words {
		texts[i] = string(w)
	}
	return strings.Join(texts, ", ")
}
