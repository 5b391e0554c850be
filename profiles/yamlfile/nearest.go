package yamlfile

// Nearest returns the known word that a misspelt one most likely stands for, or "".
func Nearest[T ~string](word string, known []T) T {
	var best T
	least := 1 + max(1, len(word)/4)
	for _, k := range known {
		// The distance is at least the difference of the lengths.
		if len(k)-len(word) >= least || len(word)-len(k) >= least {
			continue
		}
		if d := distance(word, string(k)); d < least {
			best, least = k, d
		}
	}
	return best
}

// DidYouMean is what the error of a wrong word ends with: "; did you mean NEAREST?", or nothing where no known word is near.
func DidYouMean[T ~string](word string, known []T) string {
	if near := Nearest(word, known); near != "" {
		return "; did you mean " + string(near) + "?"
	}
	return ""
}

// distance counts the letters to insert, delete, replace, or swap with the next, to
// turn one word into the other (optimal string alignment).
func distance(a, b string) int {
	var before []int
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := 1; i <= len(a); i++ {
		next := make([]int, len(b)+1)
		next[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			next[j] = min(row[j]+1, next[j-1]+1, row[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				next[j] = min(next[j], before[j-2]+1)
			}
		}
		before, row = row, next
	}
	return row[len(b)]
}
