package main

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// A format says what a table shows of a cell; "" is shown when it has nothing
// of the kind.
type format func(cell) string

// one shows the median of a figure.
func one(figure, verb string) format {
	return func(c cell) string {
		s, ok := c.spread(figure)
		if !ok {
			return ""
		}
		return fmt.Sprintf(verb, s.median)
	}
}

// ranged shows the median and, of more than one round, the least and the
// greatest value.
func ranged(figure, verb string) format {
	return func(c cell) string {
		s, ok := c.spread(figure)
		if !ok {
			return ""
		}
		if len(c[figure]) == 1 {
			return fmt.Sprintf("**"+verb+"**", s.median)
		}
		return fmt.Sprintf("**"+verb+"** ("+verb+"–"+verb+")", s.median, s.low, s.high)
	}
}

// several shows several formats with a slash between them.
func several(formats ...format) format {
	return func(c cell) string {
		var texts []string
		for _, f := range formats {
			if text := f(c); text != "" {
				texts = append(texts, text)
			}
		}
		return strings.Join(texts, " / ")
	}
}

// names shows each figure by its name.
func names(c cell) string {
	var texts []string
	for _, name := range slices.Sorted(maps.Keys(c)) {
		texts = append(texts, fmt.Sprintf("%s %.4g", name, c.median(name)))
	}
	if len(texts) == 0 {
		return "0"
	}
	return strings.Join(texts, ", ")
}

// table returns a Markdown table of the rows that have any of the columns.
func (s section) table(rows, columns []string, f format) string {
	var out strings.Builder
	fmt.Fprintf(&out, "| | %s |\n|---%s|\n", strings.Join(columns, " | "), strings.Repeat("|---", len(columns)))
	for _, row := range rows {
		texts := make([]string, len(columns))
		for i, column := range columns {
			if c, ok := s[row][column]; ok {
				texts[i] = f(c)
			}
		}
		if strings.Join(texts, "") != "" {
			fmt.Fprintf(&out, "| %s | %s |\n", row, strings.Join(texts, " | "))
		}
	}
	return out.String()
}

// perColumn returns a table with one row for each column of a row of the
// section, by number, and one column for each format.
func perColumn(row map[string]cell, first string, heads []string, formats ...format) string {
	var out strings.Builder
	fmt.Fprintf(&out, "| %s | %s |\n|---%s|\n", first, strings.Join(heads, " | "), strings.Repeat("|---", len(heads)))
	for _, column := range numbers(row) {
		texts := make([]string, len(formats))
		for i, f := range formats {
			texts[i] = f(row[column])
		}
		fmt.Fprintf(&out, "| %s | %s |\n", thousands(column), strings.Join(texts, " | "))
	}
	return out.String()
}

// numbers returns the columns of a row, which are numbers, in their order.
func numbers(row map[string]cell) []string {
	return slices.SortedFunc(maps.Keys(row), func(a, b string) int {
		x, _ := strconv.Atoi(a)
		y, _ := strconv.Atoi(b)
		return cmp.Compare(x, y)
	})
}

func lastColumn(row map[string]cell) string {
	columns := numbers(row)
	if len(columns) == 0 {
		return "0"
	}
	return columns[len(columns)-1]
}

// thousands puts commas into a number.
func thousands(digits string) string {
	for i := len(digits) - 3; i > 0; i -= 3 {
		digits = digits[:i] + "," + digits[i:]
	}
	return digits
}

func contenderNames() (list []string) {
	for _, c := range contenders {
		list = append(list, c.name)
	}
	return list
}

func scenarioNames() (list []string) {
	for _, s := range scenarios {
		list = append(list, s.name)
	}
	return list
}
