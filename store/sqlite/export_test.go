package sqlite

// PackTokens has the cache keep none but packed tokens. It comes before all look-ups.
func (s *Store) PackTokens() { s.cache.Unpacked = -1 }
