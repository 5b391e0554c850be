package tables

import (
	"strings"
	"testing"
)

// TestUnusualUsernames checks that it is said if Django's own users seem to log in by another
// column than its own model has them do.
func TestUnusualUsernames(t *testing.T) {
	for _, test := range []struct {
		unique  [][]string
		column  string
		certain bool
	}{
		{[][]string{{"username"}}, "username", true},
		{[][]string{{"username"}, {"email"}}, "username", true},
		{[][]string{{"email"}}, "email", false},
		{nil, "username", true},
	} {
		users := Table{Name: "auth_user", Columns: []Column{{Name: "username"}, {Name: "email"}}, Unique: test.unique}
		column, unsure := usernameOf(users)
		if column != test.column || (len(unsure) == 0) != test.certain {
			t.Errorf("unique %v: %s, %q", test.unique, column, unsure)
		}
		if len(unsure) > 0 && !strings.Contains(unsure[0], "if they log in by username") {
			t.Errorf("it says %q", unsure)
		}
	}
}
