package main

import (
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strconv"
	"time"
)

// A cell holds the figures of one row and column of a table, with one value a
// round.
type cell map[string][]float64

func (c *cell) add(figure string, value float64) {
	if *c == nil {
		*c = make(cell)
	}
	// Four digits are more than any figure is good for.
	value, _ = strconv.ParseFloat(strconv.FormatFloat(value, 'g', 4, 64), 64)
	(*c)[figure] = append((*c)[figure], value)
}

// A spread is the median of some values, with the least and the greatest.
type spread struct{ median, low, high float64 }

// spread returns false when there is no such figure.
func (c cell) spread(figure string) (spread, bool) {
	values := slices.Sorted(slices.Values(c[figure]))
	n := len(values)
	if n == 0 {
		return spread{}, false
	}
	return spread{(values[(n-1)/2] + values[n/2]) / 2, values[0], values[n-1]}, true
}

// median returns 0 when there is no such figure.
func (c cell) median(figure string) float64 {
	s, _ := c.spread(figure)
	return s.median
}

// A section is the outcome of one part of a run: cells by row and column.
type section map[string]map[string]cell

func (s section) put(row, column string, c cell) {
	if s[row] == nil {
		s[row] = make(map[string]cell)
	}
	s[row][column] = c
}

// A part is a section with when and where it was measured.
type part struct {
	When    time.Time
	Quick   bool
	Machine string
	Foreign cell // cores that other processes used meanwhile, by the second
	Cells   section
	Text    string `json:",omitempty"` // what a part has to say in words
}

// results is what is kept in bench/results.json: so a run of some parts
// leaves the others in the page as they are.
type results map[string]part

func readResults(file string) (results, error) {
	r := results{}
	data, err := os.ReadFile(file)
	if os.IsNotExist(err) {
		return r, nil
	}
	if err != nil {
		return nil, err
	}
	if err := json.Unmarshal(data, &r); err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	return r, nil
}

func (r results) write(file string) error {
	data, err := json.Marshal(r)
	if err != nil {
		return err
	}
	return os.WriteFile(file, append(data, '\n'), 0o644)
}

// progress tells the user how far the run is.
func progress(format string, args ...any) {
	fmt.Fprintf(os.Stderr, "%s "+format+"\n", append([]any{time.Now().Format("15:04:05")}, args...)...)
}
