package operate

// Bounds of what a page reads.
const (
	// pageRows is how many rows a page has.
	pageRows = 50
	// batchRows is how many rows are read at a time where some are left out.
	batchRows = 500
	// maxScan is how many rows a page looks at to find those that it shows; then it says how far it has come.
	maxScan = 5000
)

// A window is a part of a table in the order of its keys.
type window[R, K any] struct {
	Rows []R
	// Last is the key after which the next part begins.
	Last K
	// More says that there is, or may be, another part.
	More bool
	// Cut says that maxScan rows were looked at, and not enough of them matched.
	Cut bool
}

// Limit is how many rows a part looks at, at most.
func (window[R, K]) Limit() int { return maxScan }

// scan reads the part after a key. match says which rows belong to it; nil: all do. The first row at which end returns true
// is not read any more; nil: there is none.
func scan[R, K any](after K, read func(after K, limit int) ([]R, error), key func(R) K, match, end func(R) bool) (w window[R, K], err error) {
	w.Last = after
	size := batchRows
	if match == nil {
		size, match = pageRows+1, func(R) bool { return true }
	}
	for looked := 0; looked < maxScan; {
		rows, err := read(w.Last, size)
		if err != nil {
			return w, err
		}
		for _, row := range rows {
			switch {
			case end != nil && end(row):
				return w, nil
			case len(w.Rows) == pageRows:
				w.More = true
				return w, nil
			case match(row):
				w.Rows = append(w.Rows, row)
			}
			w.Last = key(row)
			looked++
		}
		if len(rows) < size {
			return w, nil
		}
	}
	w.More, w.Cut = true, true
	return w, nil
}
