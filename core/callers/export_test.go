package callers

// For the tests with a store, which knows this package.

const (
	PerSubject = perSubject
	MaxAgent   = maxAgent
)

func CleanAgent(raw string, secrets []string) string { return cleanAgent(raw, secrets) }

// Kept returns how many callers are in memory.
func (c *Counter) Kept() (n int) {
	for i := range c.parts {
		for _, e := range c.parts[i].heads {
			for ; e != nil; e = e.next {
				n++
			}
		}
	}
	return n
}

// Wake returns what has Run write ahead of time.
func (c *Counter) Wake() <-chan struct{} { return c.wake }
