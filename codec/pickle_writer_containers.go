package codec

import (
	"encoding/binary"
	"math"
	"strconv"
)

// class appends what stands for a class.
func (w *pickleWriter) class(c pythonClass) {
	if at := w.classes[c]; at > 0 {
		w.getMemo(at)
		return
	}
	n := pythonNames[c]
	if w.protocol >= 4 {
		w.text([]byte(n.module))
		w.text([]byte(n.name))
		w.op(pkStackGlobal)
	} else {
		if w.protocol < 3 {
			switch n.module {
			case "builtins":
				n.module = "__builtin__"
			case "copyreg":
				n.module = "copy_reg"
			}
		}
		w.op(pkGlobal)
		w.buf = append(append(w.buf, n.module...), '\n')
		w.buf = append(append(w.buf, n.name...), '\n')
	}
	w.classes[c] = w.putMemo()
}

// putMemo appends what puts the object on top of the stack into the memo, and
// returns its place, from 1.
func (w *pickleWriter) putMemo() int {
	w.place(w.memo, pkPut, pkBinPut, pkLongBinPut)
	w.memo++
	return w.memo
}

func (w *pickleWriter) getMemo(at int) { w.place(at-1, pkGet, pkBinGet, pkLongBinGet) }

func (w *pickleWriter) place(i int, text, short, long byte) {
	switch {
	case w.protocol == 0:
		w.op(text)
		w.buf = append(strconv.AppendInt(w.buf, int64(i), 10), '\n')
	case i <= math.MaxUint8:
		w.op(short, byte(i))
	default:
		w.op(long)
		w.buf = binary.LittleEndian.AppendUint32(w.buf, uint32(i))
	}
}

// tuple begins a tuple of n elements, which tupleEnd ends.
func (w *pickleWriter) tuple(n int) {
	if w.protocol == 0 || n > 3 || w.protocol < 2 && n > 0 {
		w.op(pkMark)
	}
}

func (w *pickleWriter) tupleEnd(n int) {
	switch {
	case w.protocol == 0 || n > 3 || w.protocol < 2 && n > 0:
		w.op(pkTuple)
	case n == 0:
		w.op(pkEmptyTuple)
	default:
		w.op(pkTuple1 + byte(n) - 1)
	}
}

// list begins a list of n elements, which listEnd ends; dict and set do so.
func (w *pickleWriter) list(n int) {
	if w.protocol > 0 {
		w.op(pkEmptyList)
	}
	if w.protocol == 0 || n > 1 {
		w.op(pkMark)
	}
}

func (w *pickleWriter) listEnd(n int) {
	switch {
	case w.protocol == 0:
		w.op(pkList)
	case n > 1:
		w.op(pkAppends)
	case n == 1:
		w.op(pkAppend)
	}
}

func (w *pickleWriter) dict(n int) {
	if w.protocol > 0 {
		w.op(pkEmptyDict)
	}
	if w.protocol == 0 || n > 1 {
		w.op(pkMark)
	}
}

func (w *pickleWriter) dictEnd(n int) {
	if w.protocol == 0 {
		w.op(pkDict)
		return
	}
	w.itemsEnd(n)
}

// orderedDict is dict for an OrderedDict.
func (w *pickleWriter) orderedDict(n int) {
	w.class(classOrderedDict)
	w.tuple(0)
	w.tupleEnd(0)
	w.op(pkReduce)
	if n > 1 {
		w.op(pkMark)
	}
}

func (w *pickleWriter) itemsEnd(n int) {
	switch {
	case n > 1:
		w.op(pkSetItems)
	case n == 1:
		w.op(pkSetItem)
	}
}

func (w *pickleWriter) set(n int, frozen bool) {
	switch {
	case w.protocol < 4:
		c := classSet
		if frozen {
			c = classFrozenSet
		}
		w.class(c)
		w.tuple(1)
		w.list(n)
	case frozen:
		w.op(pkMark)
	default:
		w.op(pkEmptySet)
		if n > 0 {
			w.op(pkMark)
		}
	}
}

func (w *pickleWriter) setEnd(n int, frozen bool) {
	switch {
	case w.protocol < 4:
		w.listEnd(n)
		w.tupleEnd(1)
		w.op(pkReduce)
	case frozen:
		w.op(pkFrozenSet)
	case n > 0:
		w.op(pkAddItems)
	}
}
