package otelsession_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"github.com/go-session2/sessions"
	"github.com/go-session2/sessions/backend"
	"github.com/go-session2/sessions/backend/memorybackend"
	"github.com/go-session2/sessions/otelsession"
)

// A bench is a Manager whose events go to OpenTelemetry's own SDK, in memory.
type bench struct {
	t      *testing.T
	store  *store
	m      *sessions.Manager
	tracer *sdktrace.TracerProvider
	spans  *tracetest.InMemoryExporter
	reader *sdkmetric.ManualReader
	cookie string
}

// A store fails when it is told to.
type store struct {
	*memorybackend.Backend
	fail error
}

func (s *store) Load(ctx context.Context, key string) (backend.Record, error) {
	if s.fail != nil {
		return backend.Record{}, s.fail
	}
	return s.Backend.Load(ctx, key)
}

func newBench(t *testing.T) *bench {
	t.Helper()
	b := &bench{t: t, spans: tracetest.NewInMemoryExporter(), reader: sdkmetric.NewManualReader()}
	b.tracer = sdktrace.NewTracerProvider(sdktrace.WithSyncer(b.spans))
	hook, err := otelsession.New(otelsession.Config{
		TracerProvider: b.tracer,
		MeterProvider:  sdkmetric.NewMeterProvider(sdkmetric.WithReader(b.reader)),
	})
	if err != nil {
		t.Fatal(err)
	}
	mem, err := memorybackend.New(memorybackend.Config{})
	if err != nil {
		t.Fatal(err)
	}
	b.store = &store{Backend: mem}
	b.m, err = sessions.NewManager(sessions.Config{
		Backend: b.store, OnEvent: hook, SweepInterval: -1, Logger: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// frame is what sessions.Default takes for a framework's context.
type frame struct{ x *sessions.Exchange }

func (frame) Param(string) string { return "" }
func (f frame) Get(string) any    { return f.x }
func (b *bench) traced(use func(s *sessions.Session)) {
	ctx, span := b.tracer.Tracer("test").Start(b.t.Context(), "request")
	b.visit(ctx, use)
	span.End()
}

func (b *bench) visit(ctx context.Context, use func(s *sessions.Session)) {
	r := httptest.NewRequestWithContext(ctx, "GET", "/", nil)
	r.Header.Set("Cookie", b.cookie)
	h := make(http.Header)
	var x sessions.Exchange
	b.m.Begin(&x, r, h, nil)
	use(sessions.Default(frame{&x}))
	_ = x.Commit()
	x.Finish()
	if line := h.Get("Set-Cookie"); line != "" {
		b.cookie, _, _ = strings.Cut(line, ";")
	}
}

// collect returns the metrics so far, each series a line with its count.
func (b *bench) collect() []string {
	b.t.Helper()
	var rm metricdata.ResourceMetrics
	if err := b.reader.Collect(b.t.Context(), &rm); err != nil {
		b.t.Fatal(err)
	}
	var lines []string
	for _, scope := range rm.ScopeMetrics {
		for _, m := range scope.Metrics {
			switch data := m.Data.(type) {
			case metricdata.Sum[int64]:
				for _, p := range data.DataPoints {
					lines = append(lines, fmt.Sprintf("%s %s %d", m.Name, set(p.Attributes), p.Value))
				}
			case metricdata.Histogram[float64]:
				for _, p := range data.DataPoints {
					if p.Sum <= 0 || p.Sum > time.Minute.Seconds() {
						b.t.Errorf("%s: %v seconds", set(p.Attributes), p.Sum)
					}
					lines = append(lines, fmt.Sprintf("%s %s %d", m.Name, set(p.Attributes), p.Count))
				}
			}
		}
	}
	slices.Sort(lines)
	return lines
}

func set(s attribute.Set) string { return s.Encoded(attribute.DefaultEncoder()) }

func TestMetrics(t *testing.T) {
	b := newBench(t)
	ctx := t.Context()
	b.visit(ctx, func(s *sessions.Session) { s.Set("n", 1) })
	b.visit(ctx, func(s *sessions.Session) {
		_ = s.Get("n")
		b.visit(ctx, func(s *sessions.Session) { s.Set("n", 2) })
		s.Set("m", 1)
	})
	cookie := b.cookie
	b.cookie = "session=rubbish"
	b.visit(ctx, func(s *sessions.Session) { _ = s.Get("n") })
	b.cookie = cookie
	b.store.fail = errors.New("no answer")
	b.visit(ctx, func(s *sessions.Session) { _ = s.Get("n") })
	b.store.fail = nil
	b.visit(ctx, func(s *sessions.Session) { _ = s.Destroy() })
	want := []string{
		"session.conflicts session.name=session 1",
		"session.events error.type=unavailable,session.event=failed,session.name=session,session.operation=load 1",
		"session.events session.event=created,session.name=session 1",
		"session.events session.event=destroyed,session.name=session 1",
		"session.events session.event=loaded,session.name=session 2",
		"session.events session.event=merged,session.name=session 1",
		"session.events session.event=rejected,session.name=session,session.reason=malformed 1",
		"session.events session.event=updated,session.name=session 2",
		"session.store.duration error.type=unavailable,session.name=session,session.operation=load,session.outcome=failed 1",
		"session.store.duration session.name=session,session.operation=create,session.outcome=ok 1",
		"session.store.duration session.name=session,session.operation=delete,session.outcome=ok 1",
		"session.store.duration session.name=session,session.operation=load,session.outcome=ok 3",
		"session.store.duration session.name=session,session.operation=update,session.outcome=conflict 1",
		"session.store.duration session.name=session,session.operation=update,session.outcome=ok 2",
	}
	if got := b.collect(); !slices.Equal(got, want) {
		t.Errorf("metrics:\n%s\nwant:\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	doc, err := os.ReadFile("../docs/operations.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range append(want, "session.expired ") {
		if name, _, _ := strings.Cut(line, " "); !strings.Contains(string(doc), "| `"+name+"` |") {
			t.Errorf("docs/operations.md does not tell of %s", name)
		}
	}
	if spans := b.spans.GetSpans(); len(spans) != 0 {
		t.Errorf("%d spans without a request's span", len(spans))
	}
}

func TestTraces(t *testing.T) {
	b := newBench(t)
	var handles, ids []string
	note := func(s *sessions.Session) { handles, ids = append(handles, s.Handle()), append(ids, s.ID()) }
	b.traced(func(s *sessions.Session) { s.Set("n", 1); note(s) })
	b.traced(func(s *sessions.Session) { _ = s.Regenerate(); note(s) })
	b.store.fail = errors.New("no answer")
	b.traced(func(s *sessions.Session) { _ = s.Get("n") })
	var got []string
	var parent tracetest.SpanStub
	spans := b.spans.GetSpans()
	slices.Reverse(spans) // a span is exported when it ends, so its parent comes last
	for _, s := range spans {
		line := s.Name
		if s.Name == "request" {
			parent = s
			for _, e := range s.Events {
				set := attribute.NewSet(e.Attributes...)
				handle, _ := set.Value("session.handle")
				line += fmt.Sprintf(" %s:%d", e.Name, slices.Index(handles, handle.AsString()))
			}
		} else if s.Parent.SpanID() != parent.SpanContext.SpanID() || s.StartTime.Before(parent.StartTime) || s.EndTime.Before(s.StartTime) || s.EndTime.After(parent.EndTime) {
			t.Errorf("%s is not within the request", s.Name)
		}
		if s.Status.Code == codes.Error {
			line += " error:" + s.Status.Description
		}
		got = append(got, line)
		for _, id := range ids {
			if strings.Contains(fmt.Sprintf("%+v", s), id) {
				t.Errorf("%s shows an ID", s.Name)
			}
		}
	}
	want := []string{
		"request session.failed:1", "session load error:unavailable",
		"request session.loaded:0 session.rotated:1", "session delete", "session create", "session load",
		"request session.created:0", "session create",
	}
	if !slices.Equal(got, want) {
		t.Errorf("spans:\n%s\nwant:\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// The global providers are the default, and do nothing unless they are set.
func TestDefault(t *testing.T) {
	hook, err := otelsession.New(otelsession.Config{})
	if err != nil {
		t.Fatal(err)
	}
	hook(t.Context(), sessions.Event{Kind: sessions.EventExpired, Count: 1})
	hook(t.Context(), sessions.Event{Kind: sessions.EventStore, Op: "load", Err: backend.ErrCorrupt})
}

func BenchmarkHook(b *testing.B) {
	hook, err := otelsession.New(otelsession.Config{
		MeterProvider: sdkmetric.NewMeterProvider(sdkmetric.WithReader(sdkmetric.NewManualReader())),
	})
	if err != nil {
		b.Fatal(err)
	}
	e := sessions.Event{Kind: sessions.EventStore, Name: "session", Op: "load", Duration: time.Millisecond}
	b.ReportAllocs()
	for b.Loop() {
		hook(b.Context(), e)
	}
}
