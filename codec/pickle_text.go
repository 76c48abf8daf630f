package codec

import (
	"math"
	"strconv"
	"strings"
	"unicode/utf8"
)

func isASCII(b []byte) bool {
	for _, c := range b {
		if c >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

// escaped reads a text of protocol 0: raw-unicode-escape, or a string of
// Python 2 as its repr.
func (m *machine) escaped(op byte) error {
	line, err := m.line()
	if err != nil {
		return err
	}
	start := len(m.extra)
	ok := false
	if op == pkUnicode {
		m.extra, ok = unescape(m.extra, line)
	} else {
		m.extra, ok = unrepr(m.extra, line)
		ok = ok && isASCII(m.extra[start:])
	}
	if !ok {
		return errUTF8
	}
	m.push(m.addExtra(nodeText, start))
	return nil
}

// unescape appends what Python's raw-unicode-escape stands for: a byte for
// each character up to 255, and the others as \uXXXX and \UXXXXXXXX.
func unescape(dst, line []byte) ([]byte, bool) {
	for i := 0; i < len(line); i++ {
		c := line[i]
		if c != '\\' || i+1 == len(line) {
			dst = utf8.AppendRune(dst, rune(c))
			continue
		}
		i++
		digits := 4
		switch line[i] {
		case 'u':
		case 'U':
			digits = 8
		default:
			dst = utf8.AppendRune(append(dst, '\\'), rune(line[i]))
			continue
		}
		if i+digits >= len(line) {
			return dst, false
		}
		n, err := strconv.ParseUint(string(line[i+1:i+1+digits]), 16, 32)
		if err != nil || n > utf8.MaxRune {
			return dst, false
		}
		dst = appendRune(dst, rune(n))
		i += digits
	}
	return dst, true
}

// appendRune is utf8.AppendRune which takes half a surrogate pair as well.
func appendRune(dst []byte, r rune) []byte {
	if r >= 0xd800 && r <= 0xdfff {
		return append(dst, 0xe0|byte(r>>12), 0x80|byte(r>>6)&0x3f, 0x80|byte(r)&0x3f)
	}
	return utf8.AppendRune(dst, r)
}

// appendEscaped is the reverse of unescape.
func appendEscaped(dst, text []byte) []byte {
	const hex = "0123456789abcdef"
	for len(text) > 0 {
		r, size := utf8.DecodeRune(text)
		if half := surrogate(text); half >= 0 {
			r, size = half, 3
		}
		text = text[size:]
		switch {
		case r == '\\' || r == 0 || r == '\n' || r == '\r' || r == 0x1a || r > 0xff && r <= 0xffff:
			dst = append(dst, '\\', 'u', hex[r>>12&15], hex[r>>8&15], hex[r>>4&15], hex[r&15])
		case r > 0xffff:
			dst = append(dst, '\\', 'U', '0', '0', hex[r>>20&15], hex[r>>16&15], hex[r>>12&15], hex[r>>8&15], hex[r>>4&15], hex[r&15])
		default:
			dst = append(dst, byte(r))
		}
	}
	return dst
}

// unrepr appends what the repr of a string of Python 2 stands for.
func unrepr(dst, line []byte) ([]byte, bool) {
	if len(line) < 2 || line[0] != line[len(line)-1] || line[0] != '\'' && line[0] != '"' {
		return dst, false
	}
	simple := map[byte]byte{'\\': '\\', '\'': '\'', '"': '"', 'a': 7, 'b': 8, 'f': 12, 'n': 10, 'r': 13, 't': 9, 'v': 11}
	for s := line[1 : len(line)-1]; len(s) > 0; {
		c := s[0]
		s = s[1:]
		if c != '\\' {
			dst = append(dst, c)
			continue
		}
		if len(s) == 0 {
			return dst, false
		}
		if c, ok := simple[s[0]]; ok {
			dst, s = append(dst, c), s[1:]
			continue
		}
		digits, base := s[:min(3, len(s))], 8
		if s[0] == 'x' {
			digits, base, s = s[1:min(3, len(s))], 16, s[1:]
		}
		n, err := strconv.ParseUint(string(digits), base, 8)
		if err != nil || len(digits) < 2 {
			return dst, false
		}
		dst, s = append(dst, byte(n)), s[len(digits):]
	}
	return dst, true
}

// parsePythonFloat reads what Python's float does of what its repr writes.
func parsePythonFloat(s string) (float64, bool) {
	if strings.ContainsAny(s, "xXpP_") {
		return 0, false
	}
	f, err := strconv.ParseFloat(s, 64)
	return f, err == nil || math.IsInf(f, 0)
}

// pythonFloat is the repr of a float.
func pythonFloat(dst []byte, f float64) []byte {
	switch {
	case math.IsNaN(f):
		return append(dst, "nan"...)
	case math.IsInf(f, 1):
		return append(dst, "inf"...)
	case math.IsInf(f, -1):
		return append(dst, "-inf"...)
	}
	if size := math.Abs(f); size != 0 && (size < 1e-4 || size >= 1e16) {
		return strconv.AppendFloat(dst, f, 'e', -1, 64)
	}
	start := len(dst)
	dst = strconv.AppendFloat(dst, f, 'f', -1, 64)
	for _, c := range dst[start:] {
		if c == '.' {
			return dst
		}
	}
	return append(dst, ".0"...)
}

// validDecimal tells whether a text is what str gives for a decimal.Decimal.
func validDecimal(b []byte) bool {
	s := strings.TrimLeft(string(b[:min(len(b), 1)]), "+-") + string(b[min(len(b), 1):])
	switch strings.ToLower(s) {
	case "inf", "infinity":
		return true
	}
	digits := func(s string) bool { return strings.Trim(s, "0123456789") == "" }
	lower := strings.ToLower(s)
	if rest, ok := strings.CutPrefix(strings.TrimPrefix(lower, "s"), "nan"); ok {
		return digits(rest)
	}
	mantissa, exponent, has := strings.Cut(lower, "e")
	if has {
		exponent = strings.TrimLeft(exponent[:min(len(exponent), 1)], "+-") + exponent[min(len(exponent), 1):]
		if exponent == "" || len(exponent) > 18 || !digits(exponent) {
			return false
		}
	}
	whole, fraction, _ := strings.Cut(mantissa, ".")
	return whole+fraction != "" && digits(whole) && digits(fraction)
}
