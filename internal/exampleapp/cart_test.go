package exampleapp_test

import (
	"testing"

	"github.com/go-session2/sessions/internal/exampleapp"
)

func TestCart(t *testing.T) {
	var empty exampleapp.Cart
	one := empty.Add("sencha", 1)
	three := one.Add("sencha", 2)
	full := three.Add("sencha", exampleapp.MaxBags).With("puerh", 2)
	unknown := full.Add("coffee", 4)
	without := full.With("sencha", 0)
	for _, test := range []struct {
		name  string
		cart  exampleapp.Cart
		bags  int
		total string
	}{
		// All are looked at in the end: no method may change its cart.
		{"empty", empty, 0, "€0.00"},
		{"one", one, 1, "€8.90"},
		{"three", three, 3, "€26.70"},
		{"full", full, exampleapp.MaxBags + 2, "€207.80"},
		{"a tea that is not sold any more", unknown, exampleapp.MaxBags + 2, "€207.80"},
		{"one tea removed", without, 2, "€29.80"},
	} {
		if bags, total := test.cart.Bags(), test.cart.Total().String(); bags != test.bags || total != test.total {
			t.Errorf("%s: %d bags for %s, want %d for %s", test.name, bags, total, test.bags, test.total)
		}
	}
}

func TestShorten(t *testing.T) {
	for id, want := range map[string]string{"": "…", "abc": "abc…", "abcdefgh": "abcd…"} {
		if got := exampleapp.Shorten(id); got != want {
			t.Errorf("Shorten(%q) = %q, want %q", id, got, want)
		}
	}
}
