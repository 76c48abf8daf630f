package codec

import (
	"bytes"
	"hash/maphash"
	"math/bits"
)

// keySeed makes the positions of keys in a keySet unforeseeable. It is never
// changed.
var keySeed = maphash.MakeSeed()

// smallKeySet is how many keys are compared with one another directly.
const smallKeySet = 16

// A keySet finds duplicates among the keys of one map, all of which are parts
// of base. It allocates nothing for a small map and one table for a large
// one.
type keySet struct {
	base  []byte
	small [smallKeySet][]byte
	n     int
	marks uint64   // a bit for the length and the last byte of each of them
	table []uint64 // open addressing; offset in base and length, or 0
	shift int      // a hash's top bits are its position
}

// init prepares the set for at most n keys. base is less than 4 GiB.
func (s *keySet) init(base []byte, n int) {
	s.base = base
	if n > smallKeySet {
		size := bits.Len(uint(n + n/2))
		s.table = make([]uint64, 1<<size)
		s.shift = 64 - size
	}
}

// add adds the key at an offset, which is never 0. It reports false for a
// duplicate.
func (s *keySet) add(key []byte, offset int) bool {
	if s.table == nil {
		mark := uint64(1) << (len(key) & 63)
		if len(key) > 0 {
			mark = bits.RotateLeft64(mark, int(key[len(key)-1]))
		}
		if s.marks&mark != 0 { // else it cannot be one of them
			for _, k := range s.small[:s.n] {
				if bytes.Equal(k, key) {
					return false
				}
			}
		}
		s.marks |= mark
		s.small[s.n] = key
		s.n++
		return true
	}
	mask := uint64(len(s.table) - 1)
	for i := maphash.Bytes(keySeed, key) >> s.shift; ; i = (i + 1) & mask {
		slot := s.table[i]
		if slot == 0 {
			s.table[i] = uint64(offset)<<32 | uint64(len(key))
			return true
		}
		if at, n := slot>>32, slot&(1<<32-1); bytes.Equal(s.base[at:at+n], key) {
			return false
		}
	}
}
