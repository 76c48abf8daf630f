package exampleapp

import "maps"

// MaxBags is how many bags of one tea a cart holds at most.
const MaxBags = 20

// A Cart says how many bags of which tea a visitor wants, by the tea's ID. It
// is stored in the session as it is. Its methods change no Cart but return
// another one, so that they can be used in sessions.Update.
type Cart map[string]int

// Add returns the cart with n more bags of a tea.
func (c Cart) Add(tea string, n int) Cart { return c.With(tea, c[tea]+n) }

// With returns the cart with n bags of a tea, at most MaxBags. Without any
// the tea is not in the cart.
func (c Cart) With(tea string, n int) Cart {
	next := maps.Clone(c)
	if next == nil {
		next = make(Cart)
	}
	if n > 0 {
		next[tea] = min(n, MaxBags)
	} else {
		delete(next, tea)
	}
	return next
}

// A Line is what a cart holds of one tea.
type Line struct {
	Tea   Tea
	Bags  int
	Price Price
}

// Fewer and More are the numbers of bags that the buttons beside a line ask
// for.
func (l Line) Fewer() int { return l.Bags - 1 }

// More is described with Fewer.
func (l Line) More() int { return l.Bags + 1 }

// Full tells whether the cart takes no more of this tea.
func (l Line) Full() bool { return l.Bags >= MaxBags }

// Lines returns what is in the cart, in the order of Goods.
func (c Cart) Lines() []Line {
	var lines []Line
	for _, tea := range Goods() {
		if n := c[tea.ID]; n > 0 {
			lines = append(lines, Line{Tea: tea, Bags: n, Price: Price(n) * tea.Price})
		}
	}
	return lines
}

// Bags returns how many bags are in the cart.
func (c Cart) Bags() int {
	n := 0
	for _, line := range c.Lines() {
		n += line.Bags
	}
	return n
}

// Total returns what the cart costs.
func (c Cart) Total() Price {
	var total Price
	for _, line := range c.Lines() {
		total += line.Price
	}
	return total
}
