package sessions

import (
	"context"
	"log/slog"
	"time"
)

// An EventKind says what has happened.
type EventKind string

// The kinds of events. Those of a session carry its Handle.
const (
	// EventLoaded: a request has found its session in the store.
	EventLoaded EventKind = "loaded"
	// EventRejected: a cookie has brought no session. Event.Reason says why.
	EventRejected EventKind = "rejected"
	// EventCreated: a session was stored for the first time.
	EventCreated EventKind = "created"
	// EventUpdated: the changes of a request were stored.
	EventUpdated EventKind = "updated"
	// EventMerged: other requests have changed the session at the same
	// time, and what is stored has the changes of all. Event.Rounds says how
	// often it took another try. It follows on EventUpdated, EventRotated or
	// EventDestroyed.
	EventMerged EventKind = "merged"
	// EventTouched: the expiry of a session that was not changed was moved.
	EventTouched EventKind = "touched"
	// EventRotated: the session has got a new ID, and so another handle;
	// Event.Previous is the one before.
	EventRotated EventKind = "rotated"
	// EventDestroyed: the session was deleted, by Destroy, by one of the
	// Revoke methods or Config.MaxPerPrincipal, or because a request has
	// left it empty. A Destroy in a request that has not read its session
	// deletes it unseen: then there may have been none.
	EventDestroyed EventKind = "destroyed"
	// EventExpired: a sweep has removed Event.Count expired sessions. Where
	// the store removes them by itself there is no such event.
	EventExpired EventKind = "expired"
	// EventFailed: the operation Event.Op has ended with Event.Err: "load",
	// "save", "regenerate", "destroy", "touch" or "sweep". An ErrGone means
	// that the changes of this request came after the session's end.
	EventFailed EventKind = "failed"
	// EventStore: the store has carried out a command: Event.Op is "load",
	// "create", "update", "touch", "delete", "index", "list", "sweep" or
	// "ping", Event.Duration how long it took, and Event.Err the backend's
	// own error, where backend.ErrNotFound, ErrExists and ErrConflict are
	// answers and no failures.
	EventStore EventKind = "store"
)

// A Reason says why a cookie was rejected. Clients cannot tell the reasons
// apart.
type Reason string

// The reasons of EventRejected.
const (
	// ReasonMalformed: no ID, whatever the store holds. There is no handle.
	ReasonMalformed Reason = "malformed"
	// ReasonSignature: Config.Signer has not signed it. There is no handle.
	ReasonSignature Reason = "signature"
	// ReasonUnknown: the store has no such session. It has expired, was
	// ended, or never was; stores do not remember which.
	ReasonUnknown Reason = "unknown"
	// ReasonExpired: Config.AbsoluteLifetime is over.
	ReasonExpired Reason = "expired"
	// ReasonCorrupt: what is stored cannot be read. Event.Err says why.
	ReasonCorrupt Reason = "corrupt"
	// ReasonAmbiguous: the request has several cookies of the name that look
	// alike. See ErrAmbiguous, which Event.Err is.
	ReasonAmbiguous Reason = "ambiguous"
)

// An Event is something that has happened to a session or in its store, for
// Config.OnEvent. It holds nothing that is secret: no ID, no store key, no
// session data. The errors of a backend of your own are yours to keep so.
type Event struct {
	Kind EventKind

	// Name is Config.Name.
	Name string

	// Handle names the session, as [Session.Handle] does. It is a hash, of
	// no use as a cookie, and changes with the ID. It is empty where no
	// single session is concerned or known.
	Handle string

	// Previous is the handle before an EventRotated.
	Previous string

	// Reason of an EventRejected.
	Reason Reason

	// Op is the operation of an EventFailed or an EventStore.
	Op string

	// Duration of an EventStore, and of the whole sweep of an EventExpired.
	Duration time.Duration

	// Rounds is how many further tries an EventMerged stands for.
	Rounds int

	// Count is how many sessions an EventExpired stands for.
	Count int

	// Err of an EventFailed, an EventStore and some EventRejected.
	Err error
}

// LogValue returns the fields that are set, as a group.
func (e Event) LogValue() slog.Value {
	attrs := make([]slog.Attr, 0, 8)
	attrs = append(attrs, slog.String("kind", string(e.Kind)), slog.String("name", e.Name))
	for _, a := range []slog.Attr{
		slog.String("handle", e.Handle), slog.String("previous", e.Previous),
		slog.String("reason", string(e.Reason)), slog.String("op", e.Op),
	} {
		if a.Value.String() != "" {
			attrs = append(attrs, a)
		}
	}
	if e.Duration != 0 {
		attrs = append(attrs, slog.Duration("duration", e.Duration))
	}
	if e.Rounds != 0 {
		attrs = append(attrs, slog.Int("rounds", e.Rounds))
	}
	if e.Count != 0 {
		attrs = append(attrs, slog.Int("count", e.Count))
	}
	if e.Err != nil {
		attrs = append(attrs, slog.Any("error", e.Err))
	}
	return slog.GroupValue(attrs...)
}

// event tells of what has happened to the session under a store key. It is
// small, so that it costs a comparison where nobody listens.
func (m *Manager) event(ctx context.Context, kind EventKind, key string) {
	if m.cfg.OnEvent != nil {
		m.emit(ctx, key, Event{Kind: kind})
	}
}

// failed tells of an operation that has failed. key may be empty.
func (m *Manager) failed(ctx context.Context, op, key string, err error) {
	if m.cfg.OnEvent != nil {
		m.emit(ctx, key, Event{Kind: EventFailed, Op: op, Err: err})
	}
}

func (m *Manager) emit(ctx context.Context, key string, e Event) {
	e.Name = m.cfg.Name
	if key != "" {
		e.Handle = m.handle(key)
	}
	m.cfg.OnEvent(ctx, e)
}
