package cutover

import (
	"fmt"
	"strconv"
	"strings"
)

// Share is a part of all users, in hundredths of a percent: 0 to All.
type Share int

// All is the share of everybody.
const All Share = 10000

const percent = All / 100

// ParseShare reads a share such as 10%, 0.25% or 100.
func ParseShare(text string) (Share, error) {
	whole, fraction, dotted := strings.Cut(strings.TrimSuffix(text, "%"), ".")
	n, err := strconv.ParseUint(whole, 10, 8)
	var hundredths uint64
	if err == nil && dotted {
		if len(fraction) == 1 {
			fraction += "0"
		}
		hundredths, err = strconv.ParseUint(fraction, 10, 8)
	}
	share := Share(n)*percent + Share(hundredths)
	if err != nil || dotted && len(fraction) != 2 || share > All {
		return 0, fmt.Errorf("%q is no share: want 0%% to 100%%, with two decimals at most", text)
	}
	return share, nil
}

// String returns the share in percent, for instance 10% or 0.25%.
func (s Share) String() string {
	text := strconv.Itoa(int(s / percent))
	if rest := s % percent; rest != 0 {
		text += "." + strings.TrimRight(fmt.Sprintf("%02d", int(rest)), "0")
	}
	return text + "%"
}

// MarshalText implements encoding.TextMarshaler.
func (s Share) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText implements encoding.TextUnmarshaler.
func (s *Share) UnmarshalText(text []byte) (err error) {
	*s, err = ParseShare(string(text))
	return err
}
