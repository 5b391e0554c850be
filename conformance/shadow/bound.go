package shadow

import (
	"fmt"
	"math"
)

// confidence is how sure the upper bound is.
const confidence = 0.95

// UpperBound returns what the rate of differences is at most, with a confidence of 95 %, where
// so many of n independent requests differed: the upper limit of Clopper and Pearson's exact
// interval, one-sided (Biometrika 26, 1934). Without differences it is 1-0.05^(1/n), about 3/n: the
// rule of three. It is 1 if there was no request.
func UpperBound(differ, n int64) float64 {
	if n <= 0 || differ >= n {
		return 1
	}
	if differ <= 0 {
		return 1 - math.Pow(1-confidence, 1/float64(n))
	}
	low, high := float64(differ)/float64(n), 1.0
	for range 60 {
		middle := (low + high) / 2
		if atMost(differ, n, middle) > 1-confidence {
			low = middle
		} else {
			high = middle
		}
	}
	return high
}

// Percent writes a rate for people, rounded up: it is an upper bound.
func Percent(rate float64) string {
	switch {
	case rate >= 1:
		return "100%"
	case rate > 0.1:
		return fmt.Sprintf("%.0f%%", rate*100+0.5)
	}
	return fmt.Sprintf("%.2f%%", rate*100+0.005)
}

// atMost returns the probability of at most so many differences among n requests, if each
// differs with probability p.
func atMost(differ, n int64, p float64) float64 {
	logN, _ := math.Lgamma(float64(n) + 1)
	sum := 0.0
	// The largest terms are the last ones, since the rate is above the one that was seen.
	for k := differ; k >= 0; k-- {
		logK, _ := math.Lgamma(float64(k) + 1)
		logRest, _ := math.Lgamma(float64(n-k) + 1)
		term := math.Exp(logN - logK - logRest + float64(k)*math.Log(p) + float64(n-k)*math.Log1p(-p))
		sum += term
		if term < sum*1e-16 {
			break
		}
	}
	return sum
}
