package codec

import (
	"bufio"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"math/big"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// python asks testdata/python.py one question.
func askPython(t testing.TB) func(question any, answer any) {
	t.Helper()
	path, err := exec.LookPath("python3")
	if err != nil {
		if os.Getenv("SESSIONS_REQUIRE_SERVICES") == "1" {
			t.Fatal("there is no python3, and SESSIONS_REQUIRE_SERVICES=1 forbids to skip")
		}
		t.Skip("needs python3")
	}
	cmd := exec.Command(path, "testdata/python.py")
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = in.Close()
		_, _ = io.Copy(io.Discard, out)
		if err := cmd.Wait(); err != nil {
			t.Errorf("python3: %v", err)
		}
	})
	enc, lines := json.NewEncoder(in), bufio.NewReader(out)
	return func(question, answer any) {
		t.Helper()
		if err := enc.Encode(question); err != nil {
			t.Fatal(err)
		}
		line, err := lines.ReadBytes('\n')
		if err != nil {
			t.Fatal(err)
		}
		var failed struct{ Error string }
		if json.Unmarshal(line, &failed) == nil && failed.Error != "" {
			t.Errorf("Python says: %s", failed.Error)
			return
		}
		if err := json.Unmarshal(line, answer); err != nil {
			t.Fatal(err)
		}
	}
}

// A tree is a tagged value of Python, as python.py and the fixtures have it.
type tree struct {
	T            string
	Cls          string
	V            json.RawMessage
	Hex          *string
	Repeat       string
	N            int
	UTCOffset    *float64 `json:"utcoffset_s"`
	Fold         int
	Zone         string
	Days         int
	Seconds      int
	Microseconds int
}

// String returns a text that equal values share.
func (x tree) String() string {
	var s string
	_ = json.Unmarshal(x.V, &s)
	switch x.T {
	case "none":
		return "None"
	case "bool":
		return string(x.V)
	case "int":
		n, ok := new(big.Int).SetString(s, 0)
		if !ok {
			panic("no integer: " + s)
		}
		return "int " + n.String()
	case "float":
		return "float " + floatTree(s)
	case "complex":
		var parts [2]string
		_ = json.Unmarshal(x.V, &parts)
		return "complex " + floatTree(parts[0]) + " " + floatTree(parts[1])
	case "str", "bytes", "bytearray", "Markup":
		if x.Hex != nil {
			return x.T + " " + *x.Hex
		}
		if x.N > 0 {
			s = strings.Repeat(x.Repeat, x.N)
		}
		return x.T + " " + hex.EncodeToString([]byte(s))
	case "datetime", "time", "date", "Decimal", "UUID":
		return fmt.Sprint(x.T, " ", s, " ", x.Fold, " ", x.Zone)
	case "timedelta":
		return fmt.Sprint("timedelta ", x.Days, " ", x.Seconds, " ", x.Microseconds)
	case "dict":
		var pairs [][2]tree
		if err := json.Unmarshal(x.V, &pairs); err != nil {
			panic(err)
		}
		parts := make([]string, len(pairs))
		for i, p := range pairs {
			parts[i] = p[0].String() + ": " + p[1].String()
		}
		if x.Cls == "" {
			slices.Sort(parts)
		}
		return x.Cls + "{" + strings.Join(parts, ", ") + "}"
	case "list", "tuple", "set", "frozenset":
		var list []tree
		if err := json.Unmarshal(x.V, &list); err != nil {
			panic(err)
		}
		return listTree(x.T, list)
	}
	panic("no such tag: " + x.T)
}

func listTree[T fmt.Stringer](name string, list []T) string {
	parts := make([]string, len(list))
	for i, e := range list {
		parts[i] = e.String()
	}
	if strings.HasSuffix(name, "set") {
		slices.Sort(parts)
	}
	return name + "[" + strings.Join(parts, ", ") + "]"
}

func floatTree(s string) string {
	f, err := strconv.ParseFloat(s, 64)
	if err != nil {
		panic(err)
	}
	if math.IsNaN(f) {
		return "nan"
	}
	return strconv.FormatUint(math.Float64bits(f), 16)
}
