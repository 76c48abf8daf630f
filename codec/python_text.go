package codec

import "time"

// The texts of datetimes as msgspec and isoformat write them.
const (
	naiveText = "2006-01-02T15:04:05"
	awareText = naiveText + "Z07:00"
)

// timeText returns a time as text: with microseconds if it has any, with its
// zone's offset unless it is naive.
func timeText(t time.Time) (string, error) {
	if year := t.Year(); year < 1 || year > 9999 {
		return "", errYear
	}
	format := naiveText
	if t.Nanosecond()/1000 != 0 {
		format += ".000000"
	}
	if !isNaive(t) {
		_, offset := t.Zone()
		if offset <= -86400 || offset >= 86400 {
			return "", errZone
		}
		if offset%60 != 0 { // the format has no seconds
			return timeText(t.UTC())
		}
		format += "Z07:00"
	}
	return t.Format(format), nil
}

// parseTimeText reads what timeText returns, also with a space for the T.
func parseTimeText(s string) (time.Time, bool) {
	if len(s) > 10 && s[10] == ' ' {
		s = s[:10] + "T" + s[11:]
	}
	t, err := time.ParseInLocation(awareText, s, time.UTC)
	if err == nil {
		if _, offset := t.Zone(); offset == 0 {
			return t.UTC(), true
		}
		_, offset := t.Zone()
		return t.In(fixedZone("", offset)), true
	}
	t, err = time.ParseInLocation(naiveText, s, Naive)
	return t, err == nil
}
