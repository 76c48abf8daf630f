package codec

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

var (
	errText     = errors.New("the text is no value of this type")
	errYear     = errType(timeType, "Python's years are 1 to 9999")
	errZone     = errType(timeType, "Python's zones are less than 24 hours off UTC")
	errDuration = errType(durationType, "Python keeps microseconds: round it, with Round(time.Microsecond) for instance")
)

// A Date is a datetime.date.
type Date struct {
	Year  int // 1 to 9999
	Month time.Month
	Day   int
}

// DateOf returns the date of a time in the time's location.
func DateOf(t time.Time) Date {
	year, month, day := t.Date()
	return Date{year, month, day}
}

// Time returns the beginning of the date in [Naive].
func (d Date) Time() time.Time { return time.Date(d.Year, d.Month, d.Day, 0, 0, 0, 0, Naive) }

// String returns the date as 2006-01-02.
func (d Date) String() string { return fmt.Sprintf("%04d-%02d-%02d", d.Year, int(d.Month), d.Day) }

func (d Date) valid() bool {
	return d.Year >= 1 && d.Year <= 9999 && DateOf(d.Time()) == d
}

// MarshalText returns the date as String does. It returns an error for one that does not exist.
func (d Date) MarshalText() ([]byte, error) {
	if !d.valid() {
		return nil, errors.New("codec: there is no such date")
	}
	return []byte(d.String()), nil
}

// UnmarshalText reads what MarshalText returns.
func (d *Date) UnmarshalText(text []byte) error {
	t, err := time.Parse(time.DateOnly, string(text))
	if err != nil || t.Year() < 1 {
		return errText
	}
	*d = DateOf(t)
	return nil
}

// A Clock is a datetime.time: a time of day.
type Clock struct {
	Hour, Minute, Second, Microsecond int

	// Fold says that it is the second of the two with this text in the
	// night in which clocks are put back.
	Fold bool

	// Zone is the time zone, nil when there is none.
	Zone *time.Location
}

// String returns the time of day as 15:04:05 or 15:04:05.000000, with its zone's offset if it has one.
func (c Clock) String() string {
	format := "15:04:05"
	if c.Microsecond != 0 {
		format += ".000000"
	}
	if c.Zone != nil {
		format += "Z07:00"
	}
	return c.time().Format(format)
}

func (c Clock) time() time.Time {
	zone := c.Zone
	if zone == nil {
		zone = Naive
	}
	return time.Date(2000, 1, 1, c.Hour, c.Minute, c.Second, c.Microsecond*1000, zone)
}

func (c Clock) valid() bool {
	return uint(c.Hour) < 24 && uint(c.Minute) < 60 && uint(c.Second) < 60 && uint(c.Microsecond) < 1e6
}

// MarshalText returns the time of day as String does. It returns an error for one that does not exist.
func (c Clock) MarshalText() ([]byte, error) {
	if !c.valid() {
		return nil, errors.New("codec: there is no such time of day")
	}
	return []byte(c.String()), nil
}

// UnmarshalText reads what MarshalText returns.
func (c *Clock) UnmarshalText(text []byte) error {
	const format = "15:04:05"
	zone := Naive
	t, err := time.Parse(format, string(text))
	if err != nil {
		if t, err = time.Parse(format+"Z07:00", string(text)); err != nil {
			return errText
		}
		zone = t.Location()
	}
	*c = Clock{Hour: t.Hour(), Minute: t.Minute(), Second: t.Second(), Microsecond: t.Nanosecond() / 1000}
	if zone != Naive {
		_, offset := t.Zone()
		c.Zone = fixedZone("", offset)
	}
	return nil
}

// A TimeDelta is a datetime.timedelta that a [time.Duration] cannot hold: one
// of more than 292 years. All others are a Duration. It may also be used for
// those.
type TimeDelta struct {
	Days         int // within ±999999999
	Seconds      int // 0 to 86399
	Microseconds int // 0 to 999999
}

const maxDays = 999999999

func (d TimeDelta) valid() bool {
	return d.Days >= -maxDays && d.Days <= maxDays && uint(d.Seconds) < 86400 && uint(d.Microseconds) < 1e6
}

// deltaOf returns a duration, whose nanoseconds must be 0, as a TimeDelta.
func deltaOf(d time.Duration) (TimeDelta, error) {
	if d%time.Microsecond != 0 {
		return TimeDelta{}, errDuration
	}
	const day = 24 * time.Hour
	days, rest := d/day, d%day
	if rest < 0 {
		days, rest = days-1, rest+day
	}
	return TimeDelta{int(days), int(rest / time.Second), int(rest % time.Second / time.Microsecond)}, nil
}

// Duration returns the TimeDelta as a Duration when one can hold it.
func (d TimeDelta) Duration() (_ time.Duration, ok bool) {
	const longest = math.MaxInt64/int64(24*time.Hour) - 1
	if !d.valid() || int64(d.Days) > longest || int64(d.Days) < -longest {
		return 0, false
	}
	return time.Duration(d.Days)*24*time.Hour + time.Duration(d.Seconds)*time.Second + time.Duration(d.Microseconds)*time.Microsecond, true
}

// String returns the TimeDelta as an ISO 8601 duration such as P1DT2.000003S.
func (d TimeDelta) String() string {
	var b strings.Builder
	days, micros := int64(d.Days), int64(d.Seconds)*1e6+int64(d.Microseconds)
	if days < 0 {
		b.WriteByte('-')
		days = -days
		if micros > 0 {
			days, micros = days-1, 86400e6-micros
		}
	}
	b.WriteByte('P')
	if days != 0 || micros == 0 {
		b.WriteString(strconv.FormatInt(days, 10) + "D")
	}
	if micros != 0 {
		b.WriteString("T" + strconv.FormatInt(micros/1e6, 10))
		if micros %= 1e6; micros != 0 {
			b.WriteString(strings.TrimRight(fmt.Sprintf(".%06d", micros), "0"))
		}
		b.WriteByte('S')
	}
	return b.String()
}

// MarshalText returns the TimeDelta as String does. It returns an error for one out of range.
func (d TimeDelta) MarshalText() ([]byte, error) {
	if !d.valid() {
		return nil, errors.New("codec: the TimeDelta is out of range")
	}
	return []byte(d.String()), nil
}

// UnmarshalText reads an ISO 8601 duration of weeks, days, hours, minutes and
// seconds, with at most six digits after the decimal point.
func (d *TimeDelta) UnmarshalText(text []byte) error {
	s, negative := strings.CutPrefix(string(text), "-")
	s, ok := strings.CutPrefix(s, "P")
	if !ok || s == "" || strings.HasSuffix(s, "T") {
		return errText
	}
	const day = 86400e6
	sizes := map[byte]int64{'W': 7, 'D': 1, 'H': 3600e6, 'M': 60e6, 'S': 1e6} // days, microseconds
	units := "WDT"
	var days, micros int64
	for s != "" {
		if rest, ok := strings.CutPrefix(s, "T"); ok && units != "" && strings.HasSuffix(units, "T") {
			s, units = rest, "HMS"
			continue
		}
		end := strings.IndexFunc(s, func(r rune) bool { return r != '.' && (r < '0' || r > '9') })
		if end < 1 || s[end] == 'T' || !strings.Contains(units, s[end:end+1]) {
			return errText
		}
		whole, fraction, has := strings.Cut(s[:end], ".")
		n, err := strconv.ParseInt(whole, 10, 64)
		size := sizes[s[end]]
		if err != nil || n > math.MaxInt64/2/size || len(fraction) > 6 || has && (s[end] != 'S' || fraction == "" || strings.Contains(fraction, ".")) {
			return errText
		}
		if n *= size; strings.Contains("WD", s[end:end+1]) {
			days = min(days+n, maxDays+1)
		} else {
			micros += n
			n, _ = strconv.ParseInt((fraction + "000000")[:6], 10, 64)
			days, micros = days+(micros+n)/day, (micros+n)%day
		}
		units = units[strings.IndexByte(units, s[end])+1:]
		s = s[end+1:]
	}
	if negative {
		days, micros = -days, -micros
	}
	rest := micros
	if rest < 0 {
		days, rest = days-1, rest+day
	}
	if days < -maxDays || days > maxDays {
		return errText
	}
	*d = TimeDelta{int(days), int(rest / 1e6), int(rest % 1e6)}
	return nil
}
