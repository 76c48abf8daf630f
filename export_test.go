package sessions

import "time"

// What the tests outside the package need to see or to move.

// SetNow gives a Manager a clock of its own, like that of a node whose clock
// is wrong.
func (m *Manager) SetNow(now func() time.Time) { m.now = now }

// Remembered returns how many ended sessions a Manager remembers.
func (m *Manager) Remembered() int {
	m.ended.mu.Lock()
	defer m.ended.mu.Unlock()
	return len(m.ended.ends) + len(m.ended.ring)
}

// MaxRemembered is the most that Remembered returns.
const MaxRemembered = 2 * maxEnded
