package sessions

import (
	"reflect"

	"github.com/go-session2/sessions/codec"
)

// A Flash is a message for the next page that the visitor sees.
type Flash struct {
	Category string
	Message  any
}

// DefaultCategory is the category of a flash message that has none, as in
// Flask.
const DefaultCategory = "message"

// AddFlash keeps a message until [Session.Flashes] asks for it. category is
// optional; only the first counts. They are kept under the key _flashes as
// Flask keeps them, a list of [category, message], each pair a tuple with
// [FlaskCompatible].
func (s *Session) AddFlash(message any, category ...string) {
	cat := DefaultCategory
	if len(category) > 0 {
		cat = category[0]
	}
	s.update(keyFlashes, func(current slot) (any, error) {
		list, err := flashList(current)
		if err != nil {
			return nil, err
		}
		var pair any = []any{cat, message}
		if s.m.cfg.flask {
			pair = codec.Tuple{cat, message}
		}
		return append(list[:len(list):len(list)], pair), nil
	}, func(any) {})
}

// Flashes returns the messages, oldest first, and removes them. With
// categories, only the messages of these.
func (s *Session) Flashes(categories ...string) []Flash {
	if s.load() != nil {
		return nil
	}
	var taken []any
	s.mu.Lock()
	current := s.slot(keyFlashes)
	s.mu.Unlock()
	if !current.present() {
		return nil
	}
	list, err := flashList(current)
	if err != nil {
		s.mu.Lock()
		s.unread = err
		s.mu.Unlock()
		return nil
	}
	var flashes []Flash
	for _, item := range list {
		if f, ok := toFlash(item); ok && wanted(f.Category, categories) {
			flashes = append(flashes, f)
			taken = append(taken, item)
		}
	}
	if taken == nil {
		return nil
	}
	// Remove what was returned, not the whole list: another request may
	// have added a message that nobody has seen yet.
	s.update(keyFlashes, func(current slot) (any, error) {
		if !current.present() {
			return absent{}, nil
		}
		list, err := flashList(current)
		if err != nil {
			return nil, err
		}
		if list = without(list, taken); len(list) == 0 {
			return absent{}, nil
		}
		return list, nil
	}, func(any) {})
	return flashes
}

func flashList(s slot) ([]any, error) {
	if !s.present() {
		return nil, nil
	}
	return as[[]any](s)
}

// toFlash reads a pair of any kind: Flask has tuples, whose type some formats
// do not keep, and an application may have put a list there itself.
func toFlash(item any) (Flash, bool) {
	pair := reflect.ValueOf(item)
	if pair.Kind() != reflect.Slice || pair.Len() != 2 {
		return Flash{}, false
	}
	cat, ok := pair.Index(0).Interface().(string)
	return Flash{Category: cat, Message: pair.Index(1).Interface()}, ok
}

func wanted(category string, categories []string) bool {
	for _, c := range categories {
		if c == category {
			return true
		}
	}
	return len(categories) == 0
}

// without returns list less one occurrence of each of the items in taken.
func without(list, taken []any) []any {
	var left []any
	gone := make([]bool, len(taken))
next:
	for _, item := range list {
		for i := range taken {
			if !gone[i] && reflect.DeepEqual(item, taken[i]) {
				gone[i] = true
				continue next
			}
		}
		left = append(left, item)
	}
	return left
}
