package codec

import (
	"bytes"
	"encoding/json"
	"math"
	"strconv"
	"strings"
)

// A jsonScanner goes over a text that encoding/json has found to be valid, and
// applies the rules that encoding/json does not have. So it
// need not look for errors of syntax.
type jsonScanner struct {
	b      []byte
	i      int
	left   int // elements
	limits limits
	flask  bool // as FlaskJSON
}

// space goes over white space and returns the byte after it.
func (s *jsonScanner) space() byte {
	for {
		switch c := s.b[s.i]; c {
		case ' ', '\t', '\r', '\n':
			s.i++
		default:
			return c
		}
	}
}

// next goes to the next element of an array or object, at whose opening
// bracket, comma or closing bracket the scanner is. It reports false, and
// goes past the closing bracket, when there is none.
func (s *jsonScanner) next() bool {
	c := s.space()
	if c == ']' || c == '}' {
		s.i++
		return false
	}
	s.i++ // the opening bracket or comma
	if c == '[' || c == '{' {
		if c := s.space(); c == ']' || c == '}' {
			s.i++
			return false
		}
	}
	return true
}

// enter checks the depth of a container.
func (s *jsonScanner) enter(depth int) error {
	if depth >= s.limits.depth {
		return errDepth(s.limits.depth)
	}
	return nil
}

// count counts one element of a container.
func (s *jsonScanner) count() error {
	if s.left--; s.left < 0 {
		return errElements(s.limits.elements)
	}
	return nil
}

// literal goes over a string, number, true, false or null and returns its text.
func (s *jsonScanner) literal() []byte {
	start := s.i
	if s.b[s.i] == '"' {
		for s.i++; s.b[s.i] != '"'; s.i++ {
			if s.b[s.i] == '\\' {
				s.i++
			}
		}
		s.i++
		return s.b[start:s.i:s.i]
	}
	for s.i < len(s.b) {
		switch s.b[s.i] {
		case ',', ']', '}', ' ', '\t', '\r', '\n':
			return s.b[start:s.i:s.i]
		}
		s.i++
	}
	return s.b[start:]
}

// key goes over a member's name and its colon.
func (s *jsonScanner) key(keys *textKeys) ([]byte, error) {
	s.space()
	key, err := s.unquote(s.literal())
	if err != nil {
		return nil, err
	}
	if !keys.add(key) {
		return nil, errDuplicate
	}
	s.space()
	s.i++ // the colon
	return key, nil
}

// skip goes over a value.
func (s *jsonScanner) skip(depth int) error {
	switch s.space() {
	case '[':
		if err := s.enter(depth); err != nil {
			return err
		}
		for s.next() {
			if err := s.count(); err != nil {
				return err
			}
			if err := s.skip(depth + 1); err != nil {
				return err
			}
		}
	case '{':
		if err := s.enter(depth); err != nil {
			return err
		}
		var keys textKeys
		for s.next() {
			if err := s.count(); err != nil {
				return err
			}
			if _, err := s.key(&keys); err != nil {
				return err
			}
			if err := s.skip(depth + 1); err != nil {
				return err
			}
		}
	default:
		s.literal()
	}
	return nil
}

// value reads a value with its natural type.
func (s *jsonScanner) value(depth int) (any, error) {
	switch c := s.space(); c {
	case '[':
		return s.array(depth)
	case '{':
		return s.object(depth)
	case '"':
		text, err := s.unquote(s.literal())
		return string(text), err
	case 't', 'f':
		s.literal()
		return c == 't', nil
	case 'n':
		s.literal()
		return nil, nil
	default:
		if s.flask {
			return flaskNumber(s.literal())
		}
		return number(s.literal())
	}
}

func (s *jsonScanner) array(depth int) ([]any, error) {
	if err := s.enter(depth); err != nil {
		return nil, err
	}
	list := []any{}
	for s.next() {
		if err := s.count(); err != nil {
			return nil, err
		}
		v, err := s.value(depth + 1)
		if err != nil {
			return nil, err
		}
		list = append(list, v)
	}
	return list, nil
}

func (s *jsonScanner) object(depth int) (map[string]any, error) {
	if err := s.enter(depth); err != nil {
		return nil, err
	}
	m := map[string]any{}
	var keys textKeys
	for s.next() {
		if err := s.count(); err != nil {
			return nil, err
		}
		key, err := s.key(&keys)
		if err != nil {
			return nil, err
		}
		v, err := s.value(depth + 1)
		if err != nil {
			return nil, err
		}
		m[string(key)] = v
	}
	return m, nil
}

// unquote returns the content of a string: a part of it, or fresh when it has
// escape sequences. Half a surrogate pair becomes U+FFFD, as encoding/json has
// it, or is an error for FlaskJSON.
func (s *jsonScanner) unquote(quoted []byte) ([]byte, error) {
	content := quoted[1 : len(quoted)-1 : len(quoted)-1]
	if bytes.IndexByte(content, '\\') < 0 {
		return content, nil
	}
	var text string
	if err := json.Unmarshal(quoted, &text); err != nil {
		return nil, errDamaged
	}
	if s.flask && replaced(content) < strings.Count(text, "\ufffd") {
		return nil, errUTF8
	}
	return []byte(text), nil
}

// number returns a number with its natural type.
func number(text []byte) (any, error) {
	s := string(text)
	if !bytes.ContainsAny(text, ".eE") && s != "-0" { // the float has a sign, an int would not
		if i, err := strconv.ParseInt(s, 10, 64); err == nil {
			return integer{u: uint64(i), negative: i < 0}.natural(), nil
		}
		if u, err := strconv.ParseUint(s, 10, 64); err == nil {
			return u, nil
		}
	}
	f, err := strconv.ParseFloat(s, 64)
	if err != nil || math.IsInf(f, 0) {
		return nil, errMismatch("number", elementTypes[descFloat64])
	}
	return f, nil
}

// textKeys finds duplicates among the keys of one object.
type textKeys struct {
	small [smallKeySet][]byte
	n     int
	large map[string]struct{}
}

// add adds a key. It reports false for a duplicate.
func (s *textKeys) add(key []byte) bool {
	if s.large == nil {
		for _, k := range s.small[:s.n] {
			if bytes.Equal(k, key) {
				return false
			}
		}
		if s.n < len(s.small) {
			s.small[s.n] = key
			s.n++
			return true
		}
		s.large = make(map[string]struct{}, 4*smallKeySet)
		for _, k := range s.small {
			s.large[string(k)] = struct{}{}
		}
	}
	if _, ok := s.large[string(key)]; ok {
		return false
	}
	s.large[string(key)] = struct{}{}
	return true
}
