package main

import (
	_ "embed"
	"fmt"
	"os"
	"strings"
	"text/template"
)

//go:embed page.tmpl
var pageText string

// writePage writes the page from the results of the last run of each part.
func (r results) writePage(file string) error {
	t, err := template.New("page").Funcs(template.FuncMap{
		"targets":    r.targetTable,
		"when":       r.when,
		"has":        func(name string) bool { return r[name].Cells != nil },
		"text":       func(name string) string { return r[name].Text },
		"commands":   r.contenderTable("commands", names),
		"throughput": r.contenderTable("http", ranged("ratio", "%.2f")),
		"cpu":        r.contenderTable("http", ranged("cpu ratio", "%.2f")),
		"duels":      r.duelTable,
		"absolute":   r.contenderTable("http", several(one("per second", "%.0f"), one("cpu", "%.0f"))),
		"latency":    r.contenderTable("http", several(one("p50", "%.1f"), one("p99", "%.1f"))),
		"allocs":     r.contenderTable("in process", several(one("allocs", "%.0f"), one("bytes", "%.0f"))),
		"nanos":      r.contenderTable("in process", ranged("ns", "%.0f")),
		"nanosRatio": r.contenderTable("in process", ranged("ratio", "%.2f")),
		"size":       r.growthTable("size", "bytes"),
		"keys":       r.growthTable("keys", "keys"),
		"parallel":   r.parallelTable,
		"stored":     r.storedTable,
		"soak":       r.soakText,
	}).Parse(pageText)
	if err != nil {
		return err
	}
	var out strings.Builder
	if err := t.Execute(&out, nil); err != nil {
		return err
	}
	return os.WriteFile(file, []byte(out.String()), 0o644)
}

// when says when and where a part was measured.
func (r results) when(name string) string {
	p, ok := r[name]
	if !ok {
		return "*Not measured yet.*"
	}
	text := fmt.Sprintf("%s, %s", p.When.Format("2006-01-02 15:04 UTC"), p.Machine)
	if s, ok := p.Foreign.spread("cores"); ok {
		text += fmt.Sprintf("; other processes used %.1f cores (%.1f–%.1f)", s.median, s.low, s.high)
	}
	if p.Quick {
		text += "; a quick run"
	}
	return "*" + text + ".*"
}

func (r results) contenderTable(name string, f format) func() string {
	return func() string { return r[name].Cells.table(contenderNames(), scenarioNames(), f) }
}

func (r results) duelTable() string {
	var rows []string
	for _, d := range duels() {
		rows = append(rows, d.a+" / "+d.b)
	}
	both := []string{scenarios[readOne].name, scenarios[increment].name}
	return r["http"].Cells.table(rows, both, several(ranged("ratio", "%.2f"), one("cpu ratio", "%.2f")))
}

func (r results) targetTable() string {
	var out strings.Builder
	out.WriteString("| target | goal | measured | |\n|---|---|---|---|\n")
	missed := 0
	for _, t := range r.targets() {
		verdict := "met"
		switch {
		case t.measured == "":
			t.measured, verdict = "not measured yet", ""
		case !t.met:
			verdict = "**missed**"
			missed++
		}
		fmt.Fprintf(&out, "| %s | %s | %s | %s |\n", t.text, t.goal, t.measured, verdict)
	}
	if missed == 0 {
		return out.String() + "\nNone of those that were measured is missed.\n"
	}
	return out.String() + fmt.Sprintf("\n%d missed. For those over HTTP, the profiles below say where the server's time goes.\n", missed)
}

func (r results) growthTable(what, unit string) func() string {
	return func() string {
		var out strings.Builder
		for _, store := range []string{"memory", "redis"} {
			row := r["growth"].Cells[store+" "+what]
			if row == nil {
				continue
			}
			fmt.Fprintf(&out, "%s:\n\n%s\n", storeNames[store], perColumn(row, unit,
				[]string{"read, µs", "allocations, bytes", "write, µs", "allocations, bytes"},
				ranged("read us", "%.1f"), several(one("read allocs", "%.0f"), one("read bytes", "%.0f")),
				ranged("write us", "%.1f"), several(one("write allocs", "%.0f"), one("write bytes", "%.0f"))))
		}
		return out.String()
	}
}

var storeNames = map[string]string{"memory": "In memory, in process", "redis": "In Redis, one request at a time"}

func (r results) parallelTable() string {
	read, write := scenarios[readOne].name, scenarios[increment].name
	cells := r["parallel"].Cells
	out := "In memory, in process, requests per second:\n\n" + perColumn(cells["memory"], "goroutines",
		[]string{"read", "write"}, ranged("read", "%.0f"), ranged("write", "%.0f"))
	if cells["redis"] == nil {
		return out
	}
	return out + "\nOver HTTP with Redis:\n\n" + perColumn(cells["redis"], "connections",
		[]string{"reads per second", "p50 / p99 ms", "writes per second", "p50 / p99 ms"},
		ranged(read, "%.0f"), several(one(read+" p50", "%.2f"), one(read+" p99", "%.2f")),
		ranged(write, "%.0f"), several(one(write+" p50", "%.2f"), one(write+" p99", "%.2f")))
}

func (r results) storedTable() string {
	var out strings.Builder
	for _, s := range stores {
		row := r["stored"].Cells[s.name]
		if row == nil {
			continue
		}
		heads := []string{"create p50 / p99, µs", "read p50 / p99, µs"}
		formats := []format{several(one("create p50", "%.1f"), one("create p99", "%.1f")), several(one("read p50", "%.1f"), one("read p99", "%.1f"))}
		if s.name == "memory" {
			heads, formats = append(heads, "bytes of heap a session"), append(formats, one("bytes", "%.0f"))
		}
		fmt.Fprintf(&out, "%s:\n\n%s\n", s.name, perColumn(row, "sessions", heads, formats...))
		c := row[lastColumn(row)]
		fmt.Fprintf(&out, "Then %s expired ones were swept in %.1f s. Meanwhile a read took %.1f / %.1f µs and %.1f ms at most, and a create %.1f / %.1f µs and %.1f ms at most.\n\n",
			thousands(fmt.Sprintf("%.0f", c.median("swept"))), c.median("sweep seconds"),
			c.median("read beside sweep p50"), c.median("read beside sweep p99"), c.median("read beside sweep max")/1000,
			c.median("create beside sweep p50"), c.median("create beside sweep p99"), c.median("create beside sweep max")/1000)
	}
	return out.String()
}

func (r results) soakText() string {
	c := r["soak"].Cells["soak"]["figures"]
	if len(c["heap"]) == 0 {
		return ""
	}
	var heaps []string
	for _, h := range c["heap"] {
		heaps = append(heaps, fmt.Sprintf("%.1f", h/(1<<20)))
	}
	return fmt.Sprintf("%s requests were served. %s idle sessions of two keys hold %.0f bytes of heap each and %.0f goroutines in all. "+
		"The heap after a collection, in MiB, after each fifth of the requests: %s. Goroutines: %.0f, then %.0f.\n",
		thousands(fmt.Sprintf("%.0f", c.median("requests"))), thousands(fmt.Sprint(idleSessions)), c.median("idle bytes"), c.median("idle goroutines"),
		strings.Join(heaps, ", "), c["goroutines"][0], c["goroutines"][len(c["goroutines"])-1])
}
