package sessions

// Value returns the value of a key as a T. ok is false when the key is absent
// or its value does not fit a T without loss; [Session.Err] tells which. T
// may be a struct, a pointer to one, a named type, or anything that the codec
// can decode into. What it returns by reference may be changed in place, as
// with [Session.Get].
func Value[T any](s *Session, key string) (value T, ok bool) {
	var zero T
	if s.load() != nil {
		return zero, false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	v, ok, err := typed[T](s, key)
	if err != nil {
		s.unread = err
		return zero, false
	}
	return v, ok
}

func typed[T any](s *Session, key string) (value T, ok bool, err error) {
	sl := s.slot(key)
	if !sl.present() {
		return value, false, nil
	}
	if !sl.isValue {
		for i := range s.handouts {
			if h := &s.handouts[i]; h.key == key {
				if v, ok := h.value.(T); ok {
					return v, true, nil
				}
			}
		}
	}
	v, err := as[T](sl)
	if err != nil {
		return value, false, err
	}
	if !sl.isValue && canChange(v) {
		s.handOut(key, v, sl.raw)
	}
	return v, true, nil
}

// Update replaces the value of a key by what fn makes of it and returns the
// outcome. fn gets the zero T when the key is absent. When another request
// has changed the session before this one is saved, fn is called again with
// the value that is stored then, possibly after the handler has returned: so
// no count is lost, and fn must depend on nothing but its argument and must
// not use the session. A stored value that does not fit a T is left as it is,
// and the save fails.
func Update[T any](s *Session, key string, fn func(T) T) T {
	var out T
	s.update(key, func(current slot) (any, error) {
		var v T
		if current.present() {
			var err error
			if v, err = as[T](current); err != nil {
				return nil, err
			}
		}
		v = fn(v)
		return v, nil
	}, func(v any) { out, _ = v.(T) })
	return out
}

// update records an update and gives its outcome to done. No lock is held
// while it is computed.
func (s *Session) update(key string, up update, done func(any)) {
	_ = s.load()
	for {
		s.mu.Lock()
		current, version, over := s.slot(key), s.version, s.phase == phaseOver
		if !current.isValue {
			current = s.handedOut(key, current)
		}
		s.mu.Unlock()
		if over {
			s.late(errLate)
			return
		}
		v, err := up(current)
		s.mu.Lock()
		if s.version != version { // overtaken by another goroutine of the request
			s.mu.Unlock()
			continue
		}
		s.version++
		if err != nil {
			s.invalid = err
		} else {
			s.dropHandouts(key)
			s.pending.update(key, v, up)
			done(v)
		}
		s.mu.Unlock()
		return
	}
}

// handedOut returns the slot with the value that the handler may have changed
// in place, so that an update builds on that.
func (s *Session) handedOut(key string, sl slot) slot {
	for i := range s.handouts {
		if h := &s.handouts[i]; h.key == key {
			if raw, err := h.changed(s.m.cfg.Codec); err == nil && raw != nil {
				return slot{codec: sl.codec, raw: raw}
			}
		}
	}
	return sl
}
