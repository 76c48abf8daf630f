package codec

import (
	"strings"
	"sync"
	"time"
)

// A tzinfo is what Python calls so. The zero value is UTC.
type tzinfo struct {
	key     string // of a zoneinfo.ZoneInfo, or ""
	name    string // of a datetime.timezone, or ""
	seconds int    // its offset
}

// pythonZones are the locations that stand for a zoneinfo.ZoneInfo, by
// themselves and by key. Only a zoneinfo.ZoneInfo that Python wrote is
// written again as such: not every Python has a database of time zones. The
// number is that of the database's zones.
var pythonZones struct {
	sync.RWMutex
	keys      map[*time.Location]string
	locations map[string]*time.Location
}

// location returns the location for a zone. It returns an error for a
// zoneinfo.ZoneInfo that is not in this machine's database.
func (z tzinfo) location() (*time.Location, error) {
	if z.key == "" {
		return fixedZone(z.name, z.seconds), nil
	}
	pythonZones.RLock()
	l := pythonZones.locations[z.key]
	pythonZones.RUnlock()
	if l != nil {
		return l, nil
	}
	if z.key == "Local" {
		return nil, errNoZone
	}
	l, err := time.LoadLocation(z.key)
	if err != nil {
		return nil, errNoZone
	}
	if l == time.UTC { // is not Python's timezone.utc
		l = time.FixedZone("UTC", 0)
	}
	pythonZones.Lock()
	defer pythonZones.Unlock()
	if l := pythonZones.locations[z.key]; l != nil {
		return l, nil
	}
	if pythonZones.keys == nil {
		pythonZones.keys = make(map[*time.Location]string)
		pythonZones.locations = make(map[string]*time.Location)
	}
	pythonZones.keys[l], pythonZones.locations[z.key] = z.key, l
	return l, nil
}

// zoneOf returns the zone of a time that is not naive.
func zoneOf(t time.Time) tzinfo {
	l := t.Location()
	if l == time.UTC {
		return tzinfo{}
	}
	pythonZones.RLock()
	key := pythonZones.keys[l]
	pythonZones.RUnlock()
	if key != "" {
		return tzinfo{key: key}
	}
	name, seconds := t.Zone()
	if seconds == 0 && name == "UTC" || strings.HasPrefix(name, "+") || strings.HasPrefix(name, "-") || len(name) > maxZoneName {
		name = "" // as Python calls it anyway, or a number in place of a name
	}
	return tzinfo{name: name, seconds: seconds}
}

// fixedZone returns the location for a datetime.timezone.
func fixedZone(name string, seconds int) *time.Location {
	if seconds == 0 && name == "" {
		return time.UTC
	}
	return time.FixedZone(name, seconds)
}

// atWall returns the time that clocks in a location show so; with fold, the
// second of two.
func atWall(wall time.Time, fold bool, l *time.Location) time.Time {
	year, month, day := wall.Date()
	t := time.Date(year, month, day, wall.Hour(), wall.Minute(), wall.Second(), wall.Nanosecond(), l)
	if other, ok := twin(t); ok && isFold(t) != fold {
		return other
	}
	return t
}

// isFold tells whether clocks have shown the same before, as they were put
// back.
func isFold(t time.Time) bool {
	other, ok := twin(t)
	return ok && other.Before(t)
}

// twin returns the other time at which clocks show the same.
func twin(t time.Time) (time.Time, bool) {
	start, end := t.ZoneBounds()
	_, now := t.Zone()
	if !start.IsZero() {
		_, before := start.Add(-1).Zone()
		if other := t.Add(time.Duration(now-before) * time.Second); other.Before(start) && before > now {
			return other, true
		}
	}
	if !end.IsZero() {
		_, after := end.Zone()
		if other := t.Add(time.Duration(now-after) * time.Second); !other.Before(end) && after < now {
			return other, true
		}
	}
	return time.Time{}, false
}
