package curl

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/authcompat/authcompat/conformance/internal/secrets"
)

// What surrounds the name of a shell's variable until the text is quoted. No HTTP message has it.
const (
	variableBegins = "\x00\xff{"
	variableEnds   = "}\xff\x00"
)

// Variables give the secrets of an exchange numbers, which stand for them until a command is complete.
type Variables map[string]int

// Mark is a secrets.Mark for texts that are quoted here.
func (v Variables) Mark(kind secrets.Kind, value string) string {
	if v[value] == 0 {
		v[value] = len(v) + 1
	}
	return fmt.Sprintf("%s%s\x00%d\x00%s", variableBegins, kind, v[value], variableEnds)
}

// Name gives the variables of a command their names: PASSWORD is the first password in it, PASSWORD_2 the
// next one.
func (v Variables) Name(command string) string {
	names, count := map[string]string{}, map[string]int{}
	return regexp.MustCompile(`([A-Z]+)\x00[0-9]+\x00`).ReplaceAllStringFunc(command, func(variable string) string {
		if names[variable] == "" {
			kind, _, _ := strings.Cut(variable, "\x00")
			names[variable] = kind
			if count[kind]++; count[kind] > 1 {
				names[variable] = fmt.Sprintf("%s_%d", kind, count[kind])
			}
		}
		return names[variable]
	})
}
