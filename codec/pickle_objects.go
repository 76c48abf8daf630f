package codec

import "time"

// The objects that are written as a call of their class.

func (w *pickleWriter) call(c pythonClass, args ...func()) {
	w.class(c)
	w.tuple(len(args))
	for _, arg := range args {
		arg()
	}
	w.tupleEnd(len(args))
	w.op(pkReduce)
}

// state appends the state of a date or time, and its zone if it has one.
func (w *pickleWriter) moment(c pythonClass, state []byte, zone func()) {
	if zone == nil {
		w.call(c, func() { w.bytes(state) })
		return
	}
	w.call(c, func() { w.bytes(state) }, zone)
}

func (w *pickleWriter) delta(d TimeDelta) {
	w.call(classTimeDelta, func() { w.int(int64(d.Days)) }, func() { w.int(int64(d.Seconds)) }, func() { w.int(int64(d.Microseconds)) })
}

// zone appends a time zone.
func (w *pickleWriter) zone(z tzinfo) {
	offset := func() {
		d, _ := deltaOf(time.Duration(z.seconds) * time.Second)
		w.delta(d)
	}
	switch {
	case z.key != "":
		w.call(classZoneInfo, func() { w.text([]byte(z.key)) })
	case z.name != "":
		w.call(classTimeZone, offset, func() { w.text([]byte(z.name)) })
	default:
		w.call(classTimeZone, offset)
	}
}

// time appends a datetime of a time of Go, without what is below a
// microsecond.
func (w *pickleWriter) time(t time.Time) error {
	year, month, day := t.Date()
	if year < 1 || year > 9999 {
		return errYear
	}
	c := Clock{Hour: t.Hour(), Minute: t.Minute(), Second: t.Second(), Microsecond: t.Nanosecond() / 1000}
	state := appendClock(appendDate(nil, Date{year, month, day}), c)
	if isNaive(t) {
		if t.Location() == naiveFold {
			state[2] |= foldBit
		}
		w.moment(classDateTime, state, nil)
		return nil
	}
	z := zoneOf(t)
	switch {
	case z.key != "":
		if isFold(t) {
			state[2] |= foldBit
		}
	case z.seconds <= -86400 || z.seconds >= 86400:
		return errZone
	case !isText([]byte(z.name)):
		return errUTF8
	}
	w.moment(classDateTime, state, func() { w.zone(z) })
	return nil
}

// clock appends a time of day.
func (w *pickleWriter) clock(c Clock) error {
	if !c.valid() {
		return errType(clockType, "there is no such time of day")
	}
	if c.Zone == nil || c.Zone == Naive || c.Zone == naiveFold {
		w.moment(classTime, appendClock(nil, c), nil)
		return nil
	}
	z := zoneOf(c.time())
	if z.seconds <= -86400 || z.seconds >= 86400 {
		return errZone
	}
	w.moment(classTime, appendClock(nil, c), func() { w.zone(z) })
	return nil
}

// uuid appends a UUID. safe, which may be nil, appends the attribute is_safe.
func (w *pickleWriter) uuid(number func(), safe func()) {
	if w.protocol < 2 {
		w.call(classReconstructor, func() { w.class(classUUID) }, func() { w.class(classObject) }, func() { w.op(pkNone) })
	} else {
		w.class(classUUID)
		w.op(pkEmptyTuple, pkNewObj)
	}
	n := 1
	if safe != nil {
		n = 2
	}
	w.dict(n)
	w.text([]byte("int"))
	number()
	if safe != nil {
		w.text([]byte("is_safe"))
		safe()
	}
	w.dictEnd(n)
	w.op(pkBuild)
}
