package codec

import (
	"bytes"
	"time"
)

// The states of dates and times: the year in two bytes, the month, the day,
// hour, minute, second and the microsecond in three, all big-endian. A fold is
// the top bit of a datetime's month and of a time's hour.
const (
	dateState     = 4
	clockState    = 6
	dateTimeState = 10
	foldBit       = 0x80
)

func validDate(b []byte) bool {
	if len(b) != dateState {
		return false
	}
	return stateDate(b).valid()
}

func stateDate(b []byte) Date {
	return Date{int(b[0])<<8 | int(b[1]), time.Month(b[2]), int(b[3])}
}

func validClock(b []byte) bool {
	return len(b) == clockState && stateClock(b).valid()
}

func stateClock(b []byte) Clock {
	return Clock{
		Hour: int(b[0] &^ foldBit), Minute: int(b[1]), Second: int(b[2]),
		Microsecond: int(b[3])<<16 | int(b[4])<<8 | int(b[5]), Fold: b[0]&foldBit != 0,
	}
}

func appendDate(dst []byte, d Date) []byte {
	return append(dst, byte(d.Year>>8), byte(d.Year), byte(d.Month), byte(d.Day))
}

func appendClock(dst []byte, c Clock) []byte {
	hour := byte(c.Hour)
	if c.Fold {
		hour |= foldBit
	}
	return append(dst, hour, byte(c.Minute), byte(c.Second), byte(c.Microsecond>>16), byte(c.Microsecond>>8), byte(c.Microsecond))
}

// stateTime returns the wall clock of a datetime's state, in UTC.
func stateTime(b []byte) (_ time.Time, fold bool) {
	c := stateClock(b[dateState:])
	return time.Date(int(b[0])<<8|int(b[1]), time.Month(b[2]&^foldBit), int(b[3]), c.Hour, c.Minute, c.Second, c.Microsecond*1000, time.UTC), b[2]&foldBit != 0
}

// moment makes a datetime or time of its state and, perhaps, its zone.
func (m *machine) moment(c pythonClass, args []uint32) (uint32, error) {
	if len(args) != 1 && len(args) != 2 {
		return 0, errCall
	}
	state, ok := m.latin(args[0])
	if !ok {
		return 0, errCall
	}
	kind, b := nodeClock, m.text(m.get(state))
	if c == classDateTime {
		if len(b) != dateTimeState {
			return 0, errCall
		}
		kind = nodeDateTime
		date := bytes.Clone(b[:dateState])
		date[2] &^= foldBit
		ok = validDate(date)
		b = b[dateState:]
		ok = ok && b[0]&foldBit == 0
	}
	if !ok || !validClock(b) {
		return 0, errCall
	}
	var zone uint32
	if len(args) == 2 {
		switch zone = args[1]; m.get(zone).kind {
		case nodeTimeZone, nodeZoneInfo:
		case nodeNone:
			zone = 0
		default:
			return 0, errCall
		}
	}
	return m.add(kind, state, zone), nil
}

// timeDelta makes a timedelta of its days, seconds and microseconds.
func (m *machine) timeDelta(args []uint32) (uint32, error) {
	if len(args) > 3 {
		return 0, errCall
	}
	i := m.add(nodeTimeDelta, 0, 0)
	tuple := m.add(nodeTuple, 0, 0)
	for _, arg := range args {
		n, ok := m.int(arg)
		if !ok {
			return 0, errCall
		}
		m.link(tuple, []uint32{m.addInt(n)})
	}
	m.nodes[i].at = tuple
	if !m.delta(&m.nodes[i]).valid() {
		return 0, errCall
	}
	return i, nil
}

// delta returns a nodeTimeDelta's value.
func (t *tape) delta(n *node) TimeDelta {
	nodes, count, _ := t.few(&t.nodes[n.at])
	var parts [3]int
	for i := range count {
		part, _ := t.int(nodes[i])
		if int64(int(part)) != part {
			part = -1 << 31 // not valid
		}
		parts[i] = int(part)
	}
	return TimeDelta{parts[0], parts[1], parts[2]}
}

// maxZoneName is how many bytes the name of a time zone may have.
const maxZoneName = 255

// timeZone makes a timezone of its offset and, perhaps, its name.
func (m *machine) timeZone(args []uint32) (uint32, error) {
	if len(args) != 1 && len(args) != 2 || m.get(args[0]).kind != nodeTimeDelta {
		return 0, errCall
	}
	d := m.delta(m.get(args[0]))
	if seconds := d.Days*86400 + d.Seconds; d.Days < -1 || d.Days > 0 || seconds <= -86400 && d.Microseconds == 0 {
		return 0, errCall
	}
	var name uint32
	if len(args) == 2 {
		if name = args[1]; m.get(name).kind != nodeText || m.get(name).n > maxZoneName {
			return 0, errCall
		}
	}
	return m.add(nodeTimeZone, args[0], name), nil
}

// zone returns what a nodeTimeZone or nodeZoneInfo says.
func (t *tape) zone(i uint32) (tzinfo, error) {
	n := t.get(i)
	if n.kind == nodeZoneInfo {
		return tzinfo{key: string(t.text(t.get(n.at)))}, nil
	}
	d := t.delta(t.get(n.at))
	if d.Microseconds != 0 {
		return tzinfo{}, errNoZone
	}
	z := tzinfo{seconds: d.Days*86400 + d.Seconds}
	if n.n != 0 {
		z.name = string(t.text(t.get(n.n)))
	}
	return z, nil
}
