package tables

import "testing"

// TestCatalogueOfNewTable holds that a table which a migration makes while the catalogue is read breaks
// nothing: its constraints are listed, and it is not.
func TestCatalogueOfNewTable(t *testing.T) {
	r := catalogueRows{
		tables:  [][]string{{"", "auth_user", "0", "0", "0"}},
		columns: [][]string{{"", "new", "user_id", "integer", "0", "0", "0", "0"}},
		unique:  [][]string{{"", "auth_user", "1", "username"}, {"", "new", "2", "user_id"}, {"", "new", "2", "email"}},
	}
	c := r.catalogue(nil)
	if len(c.tables) != 1 || len(c.tables[0].Unique) != 1 {
		t.Errorf("%+v", c.tables)
	}
}
