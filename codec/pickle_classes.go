package codec

import (
	"errors"
	"fmt"
	"unicode/utf8"
)

// A pythonClass is a class or function that a pickle may name.
type pythonClass uint8

const (
	classDateTime pythonClass = iota + 1
	classDate
	classTime
	classTimeDelta
	classTimeZone
	classZoneInfo
	classZoneInfoUnpickle
	classDecimal
	classUUID
	classOrderedDict
	classSet
	classFrozenSet
	classList
	classTuple
	classDict
	classBytes
	classByteArray
	classStr
	classComplex
	classObject
	classGetAttr
	classEncode
	classReconstructor
	classMarkup
	classEnd
)

// pythonClasses are all that a pickle may name, by module and name. Python 3
// and, in protocols 0 to 2, Python 2 have their own names for some.
var pythonClasses = map[string]pythonClass{
	"datetime\ndatetime":           classDateTime,
	"datetime\ndate":               classDate,
	"datetime\ntime":               classTime,
	"datetime\ntimedelta":          classTimeDelta,
	"datetime\ntimezone":           classTimeZone,
	"zoneinfo\nZoneInfo":           classZoneInfo,
	"zoneinfo\nZoneInfo._unpickle": classZoneInfoUnpickle,
	"decimal\nDecimal":             classDecimal,
	"uuid\nUUID":                   classUUID,
	"collections\nOrderedDict":     classOrderedDict,
	"builtins\nset":                classSet,
	"__builtin__\nset":             classSet,
	"builtins\nfrozenset":          classFrozenSet,
	"__builtin__\nfrozenset":       classFrozenSet,
	"builtins\nlist":               classList,
	"__builtin__\nlist":            classList,
	"builtins\ntuple":              classTuple,
	"__builtin__\ntuple":           classTuple,
	"builtins\ndict":               classDict,
	"__builtin__\ndict":            classDict,
	"builtins\nbytes":              classBytes,
	"__builtin__\nbytes":           classBytes,
	"builtins\nbytearray":          classByteArray,
	"__builtin__\nbytearray":       classByteArray,
	"builtins\nstr":                classStr,
	"__builtin__\nunicode":         classStr,
	"builtins\ncomplex":            classComplex,
	"__builtin__\ncomplex":         classComplex,
	"builtins\nobject":             classObject,
	"__builtin__\nobject":          classObject,
	"builtins\ngetattr":            classGetAttr,
	"__builtin__\ngetattr":         classGetAttr,
	"_codecs\nencode":              classEncode,
	"copyreg\n_reconstructor":      classReconstructor,
	"copy_reg\n_reconstructor":     classReconstructor,
	"markupsafe\nMarkup":           classMarkup,
}

// pythonNames are the names that are written or in errors, for Python 3.
// Protocols 0 to 2 have Python 2's where they differ.
var pythonNames = [classEnd]struct{ module, name string }{
	classDateTime:      {"datetime", "datetime"},
	classDate:          {"datetime", "date"},
	classTime:          {"datetime", "time"},
	classTimeDelta:     {"datetime", "timedelta"},
	classTimeZone:      {"datetime", "timezone"},
	classZoneInfo:      {"zoneinfo", "ZoneInfo"},
	classDecimal:       {"decimal", "Decimal"},
	classUUID:          {"uuid", "UUID"},
	classOrderedDict:   {"collections", "OrderedDict"},
	classSet:           {"builtins", "set"},
	classFrozenSet:     {"builtins", "frozenset"},
	classBytes:         {"builtins", "bytes"},
	classByteArray:     {"builtins", "bytearray"},
	classComplex:       {"builtins", "complex"},
	classObject:        {"builtins", "object"},
	classEncode:        {"_codecs", "encode"},
	classReconstructor: {"copyreg", "_reconstructor"},
	classMarkup:        {"markupsafe", "Markup"},

	classZoneInfoUnpickle: {"zoneinfo", "ZoneInfo._unpickle"},
	classList:             {"builtins", "list"},
	classTuple:            {"builtins", "tuple"},
	classDict:             {"builtins", "dict"},
	classStr:              {"builtins", "str"},
	classGetAttr:          {"builtins", "getattr"},
}

var (
	errCall    = errors.New("the data calls a class in a way that makes no plain data")
	errOutside = errors.New("the data refers to something outside of it: a persistent ID, an extension code or a buffer")
	errCycle   = errors.New("the data contains itself")
	errState   = errors.New("the data changes an object that is in use elsewhere")
)

// errClass names a class that is refused, as far as it is a name.
func errClass(module, name []byte) error {
	return fmt.Errorf("the data has a class or function that is not plain data: %s.%s; nothing of it was run", printable(module), printable(name))
}

// errNoValue is for a class that is allowed, in the place of a value.
func errNoValue(c pythonClass) error {
	n := pythonNames[c]
	return errClass([]byte(n.module), []byte(n.name))
}

// printable returns a name of a class as an error may show it.
func printable(name []byte) string {
	const most = 80
	if !utf8.Valid(name) {
		return "?"
	}
	short := []rune(string(name[:min(len(name), 4*most)]))
	more := ""
	if len(short) > most {
		short, more = short[:most], "..."
	}
	for i, r := range short {
		letter := r == '_' || r == '.' || r == '<' || r == '>' || r == '-' || r >= '0' && r <= '9' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z'
		if !letter && r < utf8.RuneSelf {
			short[i] = '?'
		}
	}
	return string(short) + more
}

// class returns the node for a class that a pickle names.
func (t *tape) class(module, name []byte) (uint32, error) {
	var buf [64]byte
	key := append(append(append(buf[:0], module...), '\n'), name...)
	c, ok := pythonClasses[string(key)]
	if !ok {
		return 0, errClass(module, name)
	}
	return t.add(nodeClass, uint32(c), 0), nil
}
