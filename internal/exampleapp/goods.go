package exampleapp

import "fmt"

// A Tea is one of the shop's goods.
type Tea struct {
	ID     string // names it in forms, in carts and in the stylesheet
	Name   string
	Origin string
	Note   string // how it tastes
	Brew   string // how to make it
	Price  Price  // of a bag of 50 g
}

// A Price is a number of euro cents.
type Price int

// String returns the price as it is printed on the label, such as "€7.50".
func (p Price) String() string { return fmt.Sprintf("€%d.%02d", int(p)/100, int(p)%100) }

// Goods returns what the shop sells, from the lightest tea to the darkest.
func Goods() []Tea {
	return []Tea{
		{"sencha", "Sencha Asatsuyu", "Kagoshima, Japan", "Sweet pea and cut grass, with a breath of the sea.", "70 °C, 1 minute", 890},
		{"longjing", "Longjing", "Hangzhou, China", "Toasted chestnut and butter. Spring in a glass.", "80 °C, 2 minutes", 1150},
		{"tieguanyin", "Tieguanyin", "Anxi, China", "Orchid and cream, and good for seven infusions.", "90 °C, 1 minute", 980},
		{"darjeeling", "Darjeeling First Flush", "Makaibari, India", "Muscatel and apricot in cool hill air.", "90 °C, 3 minutes", 1240},
		{"assam", "Assam Second Flush", "Dibrugarh, India", "Malt and raisins. Strong enough for milk.", "95 °C, 4 minutes", 640},
		{"puerh", "Aged Pu-erh", "Yunnan, China", "Forest floor, dark chocolate, patience.", "100 °C, 30 seconds", 1490},
	}
}

// Find returns the tea with an ID. ok is false when there is none.
func Find(id string) (tea Tea, ok bool) {
	for _, tea := range Goods() {
		if tea.ID == id {
			return tea, true
		}
	}
	return Tea{}, false
}
