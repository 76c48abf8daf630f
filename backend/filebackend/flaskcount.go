package filebackend

import (
	"context"
	"encoding/binary"
)

// countFlask counts a file more or less where Flask counts them: in a file
// that cachelib makes unless its threshold is 0. It reads the number, and when
// there are more than the threshold, it removes sessions, also live ones. As
// it does not lock the file either, the number is never quite right, and what
// goes wrong here does no harm.
func (b *Backend) countFlask(ctx context.Context, names *naming, delta int) {
	if _, err := b.root.Lstat(names.count); err != nil {
		return
	}
	l, err := b.lock(ctx, censusFile, b.counting)
	if err != nil {
		return
	}
	defer l.release()
	s, err := b.openFlask()
	if err != nil {
		return
	}
	defer s.close()
	info, err := s.lstat(names.count)
	if err != nil {
		return
	}
	rec, err := s.findFlask(names.count)
	if err != nil {
		return
	}
	n, ok := pickledNumber(rec.data)
	if !ok {
		return
	}
	file, _ := encodeFlask(pickleNumber(max(n+delta, 0)), 0)
	temp, dir, err := s.prepare(file)
	if err != nil {
		return
	}
	dir.Close()
	// The time stays when Flask counted last: see findNames.
	err = s.dir.Chtimes(temp, info.ModTime(), info.ModTime())
	if err == nil {
		err = s.dir.Rename(temp, names.count)
	}
	if err != nil {
		s.discard(temp)
	}
}

// The opcodes of a pickle that is one number: how long it is, whether it is
// framed, and the number in 1, 2 or 4 bytes.
const (
	opProto   = 0x80
	opFrame   = 0x95
	opByte    = 'K'
	opShort   = 'M'
	opInteger = 'J'
	opStop    = '.'
)

// pickledNumber reads a pickle that is one number.
func pickledNumber(p []byte) (n int, ok bool) {
	if len(p) < 2 || p[0] != opProto {
		return 0, false
	}
	p = p[2:]
	if len(p) > 9 && p[0] == opFrame {
		p = p[9:]
	}
	switch {
	case len(p) == 3 && p[0] == opByte && p[2] == opStop:
		return int(p[1]), true
	case len(p) == 4 && p[0] == opShort && p[3] == opStop:
		return int(binary.LittleEndian.Uint16(p[1:])), true
	case len(p) == 6 && p[0] == opInteger && p[5] == opStop:
		return int(int32(binary.LittleEndian.Uint32(p[1:]))), true
	}
	return 0, false
}

// pickleNumber returns a pickle of protocol 2, which every Python reads.
func pickleNumber(n int) []byte {
	p := binary.LittleEndian.AppendUint32([]byte{opProto, 2, opInteger}, uint32(min(n, 1<<31-1)))
	return append(p, opStop)
}
