// Package otelsession tells OpenTelemetry what happens to sessions:
//
//	hook, err := otelsession.New(otelsession.Config{})
//	...
//	r.Use(ginsession.New(sessions.Config{Backend: store, OnEvent: hook}))
//
// # Metrics
//
//	session.events          counter    what has happened to sessions, by session.event; rejected ones also by
//	                                   session.reason, failed ones by session.operation and error.type
//	session.conflicts       counter    further tries after a conflict
//	session.expired         counter    sessions that sweeps have removed
//	session.store.duration  histogram  seconds that a command of the store took, by session.operation,
//	                                   session.outcome and, if it has failed, error.type
//
// All have session.name, the cookie's name. The values of these attributes
// are few, and none comes from a client.
//
// # Traces
//
// A command of the store is a span "session load", "session update" and so
// on, below the span in the request's context; what happens to the session is
// an event of that span, "session.created" and so on, with session.handle,
// the name that the logs and sessionctl show as well. Without a recording
// span in the context, as in a sweep in the background, there is neither.
package otelsession

import (
	"context"
	"errors"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/trace"

	"github.com/go-session2/sessions"
)

const scope = "github.com/go-session2/sessions/otelsession"

// Config says where metrics and traces go. The zero value is the global
// providers.
type Config struct {
	// MeterProvider gets the metrics. The default is otel.GetMeterProvider().
	MeterProvider metric.MeterProvider

	// TracerProvider gets the spans of the store's commands. The default is
	// otel.GetTracerProvider().
	TracerProvider trace.TracerProvider
}

// New returns a function for [sessions.Config].OnEvent. One function may serve
// several Managers. The error is one of the MeterProvider.
func New(cfg Config) (func(context.Context, sessions.Event), error) {
	if cfg.MeterProvider == nil {
		cfg.MeterProvider = otel.GetMeterProvider()
	}
	if cfg.TracerProvider == nil {
		cfg.TracerProvider = otel.GetTracerProvider()
	}
	h := &hook{tracer: cfg.TracerProvider.Tracer(scope)}
	meter := cfg.MeterProvider.Meter(scope)
	var errs [4]error
	h.events, errs[0] = meter.Int64Counter("session.events",
		metric.WithUnit("{event}"), metric.WithDescription("What has happened to sessions."))
	h.conflicts, errs[1] = meter.Int64Counter("session.conflicts",
		metric.WithUnit("{try}"), metric.WithDescription("Further tries to save a session after a conflict."))
	h.expired, errs[2] = meter.Int64Counter("session.expired",
		metric.WithUnit("{session}"), metric.WithDescription("Expired sessions that sweeps have removed."))
	h.duration, errs[3] = meter.Float64Histogram("session.store.duration",
		metric.WithUnit("s"), metric.WithDescription("How long a command of the session store took."),
		metric.WithExplicitBucketBoundaries(.0001, .00025, .0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5))
	if err := errors.Join(errs[:]...); err != nil {
		return nil, err
	}
	return h.handle, nil
}
