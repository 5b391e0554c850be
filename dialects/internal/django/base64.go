package django

// DecodeBase64 is Python's base64.b64decode, which skips characters outside of the
// alphabet and stops at the padding that completes a group (Modules/binascii.c,
// a2b_base64). ok is false if the last group is incomplete.
func DecodeBase64(raw []byte) (out []byte, ok bool) {
	position, pads := 0, 0
	var left byte
	for _, c := range raw {
		if c == '=' {
			if position >= 2 {
				if pads++; position+pads >= 4 {
					return out, true
				}
			}
			continue
		}
		digit, known := base64Digit(c)
		if !known {
			continue
		}
		pads = 0
		switch position {
		case 1:
			out = append(out, left<<2|digit>>4)
		case 2:
			out = append(out, left<<4|digit>>2)
		case 3:
			out = append(out, left<<6|digit)
		}
		left = digit
		position = (position + 1) % 4
	}
	return out, position == 0
}

func base64Digit(c byte) (byte, bool) {
	switch {
	case c >= 'A' && c <= 'Z':
		return c - 'A', true
	case c >= 'a' && c <= 'z':
		return c - 'a' + 26, true
	case c >= '0' && c <= '9':
		return c - '0' + 52, true
	case c == '+':
		return 62, true
	case c == '/':
		return 63, true
	}
	return 0, false
}
