package filebackend

import "testing"

// gate are the checks of TestGate by name; the files with build constraints
// add theirs.
var gate = map[string]func(*testing.T){
	"kill -9":           kill,
	"several processes": processes,
}

// TestGate checks that files survive: a process killed at any moment, a full
// or read-only disk, no file descriptors, a power cut, and damage of any kind
// leave each session as it was last stored, or absent, and never another's.
//
// It fails when write fills the file in its final place, when it does not
// flush, and when decode does not compare the checksum.
func TestGate(t *testing.T) {
	t.Run("G8", func(t *testing.T) {
		for name, check := range gate {
			t.Run(name, check)
		}
	})
}
