package otelsession

import (
	"context"
	"errors"
	"sync"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/trace"

	"github.com/go-session2/sessions"
	"github.com/go-session2/sessions/backend"
)

// The attributes.
const (
	attrName      = attribute.Key("session.name")
	attrEvent     = attribute.Key("session.event")
	attrReason    = attribute.Key("session.reason")
	attrOperation = attribute.Key("session.operation")
	attrOutcome   = attribute.Key("session.outcome")
	attrError     = attribute.Key("error.type")
	attrHandle    = attribute.Key("session.handle")
	attrPrevious  = attribute.Key("session.previous_handle")
)

// A hook turns events into metrics and traces.
type hook struct {
	tracer    trace.Tracer
	events    metric.Int64Counter
	conflicts metric.Int64Counter
	expired   metric.Int64Counter
	duration  metric.Float64Histogram

	sets sync.Map // set to *measured
}

// A set is what tells one series of a metric from another.
type set struct {
	name, event, reason, operation, outcome, failure string
}

// measured are the attributes of a set, made once.
type measured struct {
	attrs []attribute.KeyValue
	add   []metric.AddOption
	rec   []metric.RecordOption
}

func (h *hook) handle(ctx context.Context, e sessions.Event) {
	s := set{name: e.Name, reason: string(e.Reason), operation: e.Op, failure: failure(e)}
	if e.Kind == sessions.EventStore {
		s.outcome = outcome(e.Err, s.failure)
		m := h.measured(s)
		h.duration.Record(ctx, e.Duration.Seconds(), m.rec...)
		h.span(ctx, e, s.failure, m.attrs)
		return
	}
	s.event = string(e.Kind)
	m := h.measured(s)
	h.events.Add(ctx, 1, m.add...)
	switch e.Kind {
	case sessions.EventMerged:
		h.conflicts.Add(ctx, int64(e.Rounds), h.measured(set{name: e.Name}).add...)
	case sessions.EventExpired:
		h.expired.Add(ctx, int64(e.Count), h.measured(set{name: e.Name}).add...)
	}
	note(ctx, e, m.attrs)
}

// measured returns the attributes of a set.
func (h *hook) measured(s set) *measured {
	if m, ok := h.sets.Load(s); ok {
		return m.(*measured)
	}
	m := &measured{}
	for _, a := range []attribute.KeyValue{
		attrName.String(s.name), attrEvent.String(s.event), attrReason.String(s.reason),
		attrOperation.String(s.operation), attrOutcome.String(s.outcome), attrError.String(s.failure),
	} {
		if a.Value.AsString() != "" {
			m.attrs = append(m.attrs, a)
		}
	}
	option := metric.WithAttributeSet(attribute.NewSet(m.attrs...))
	m.add, m.rec = []metric.AddOption{option}, []metric.RecordOption{option}
	kept, _ := h.sets.LoadOrStore(s, m)
	return kept.(*measured)
}

// span records a command of the store that has just ended.
func (h *hook) span(ctx context.Context, e sessions.Event, failure string, attrs []attribute.KeyValue) {
	if !trace.SpanFromContext(ctx).IsRecording() {
		return
	}
	end := time.Now()
	_, span := h.tracer.Start(ctx, "session "+e.Op, trace.WithTimestamp(end.Add(-e.Duration)),
		trace.WithSpanKind(trace.SpanKindClient), trace.WithAttributes(attrs...))
	if e.Handle != "" {
		span.SetAttributes(attrHandle.String(e.Handle))
	}
	if failure != "" {
		span.SetStatus(codes.Error, failure)
	}
	span.End(trace.WithTimestamp(end))
}

// note adds what has happened to a session to the span of the request.
func note(ctx context.Context, e sessions.Event, attrs []attribute.KeyValue) {
	span := trace.SpanFromContext(ctx)
	if !span.IsRecording() {
		return
	}
	attrs = append(make([]attribute.KeyValue, 0, len(attrs)+2), attrs...)
	if e.Handle != "" {
		attrs = append(attrs, attrHandle.String(e.Handle))
	}
	if e.Previous != "" {
		attrs = append(attrs, attrPrevious.String(e.Previous))
	}
	span.AddEvent("session."+string(e.Kind), trace.WithAttributes(attrs...))
}

// answers are what a store may say without having failed.
var answers = []struct {
	err  error
	name string
}{
	{backend.ErrNotFound, "not_found"},
	{backend.ErrExists, "exists"},
	{backend.ErrConflict, "conflict"},
}

// outcome says how a command of the store has ended.
func outcome(err error, failure string) string {
	switch {
	case err == nil:
		return "ok"
	case failure != "":
		return "failed"
	}
	for _, a := range answers {
		if errors.Is(err, a.err) {
			return a.name
		}
	}
	return "failed"
}

// failures are the kinds of failures, the first that fits.
var failures = []struct {
	err  error
	name string
}{
	{sessions.ErrGone, "gone"},
	{sessions.ErrCommitted, "committed"},
	{sessions.ErrAmbiguous, "ambiguous"},
	{backend.ErrCorrupt, "corrupt"},
	{backend.ErrTooLarge, "too_large"},
	{backend.ErrFull, "full"},
	{backend.ErrNotConfigured, "not_configured"},
	{sessions.ErrValue, "value"},
	{context.DeadlineExceeded, "timeout"},
	{context.Canceled, "canceled"},
	{sessions.ErrUnavailable, "unavailable"},
}

// failure returns the kind of an event's failure, or "" if it is none.
func failure(e sessions.Event) string {
	if e.Err == nil {
		return ""
	}
	if e.Kind == sessions.EventStore {
		for _, a := range answers {
			if errors.Is(e.Err, a.err) {
				return ""
			}
		}
	}
	for _, f := range failures {
		if errors.Is(e.Err, f.err) {
			return f.name
		}
	}
	if e.Kind == sessions.EventStore {
		return "unavailable" // as the core takes an error that it does not know
	}
	return "other"
}
