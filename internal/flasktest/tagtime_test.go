package flasktest

import (
	"time"

	"github.com/go-session2/sessions/codec"
)

// The forms of Python's isoformat.
const (
	isoDay    = "2006-01-02T15:04:05"
	isoClock  = "15:04:05"
	isoMicros = ".000000"
	isoZone   = "-07:00"
)

func timeTag(v time.Time) tag {
	out := tag{"t": "datetime", "utcoffset_s": nil}
	format := isoDay
	if v.Nanosecond() != 0 {
		format += isoMicros
	}
	if zone := v.Location().String(); zone == "naive, fold" {
		out["fold"] = 1
	} else if v.Location() != codec.Naive {
		format += isoZone
		_, out["utcoffset_s"] = v.Zone()
	}
	out["v"] = v.Format(format)
	return out
}

func clockTag(v codec.Clock) tag {
	out := text("time", v)
	out["utcoffset_s"] = nil
	if v.Zone != nil {
		_, out["utcoffset_s"] = time.Now().In(v.Zone).Zone()
	}
	if v.Fold {
		out["fold"] = 1
	}
	return out
}
