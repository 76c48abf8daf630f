// Package exampleapp is what the two examples, example_gin and example_echo,
// have in common: the goods of a tea shop, its pages and its server. It knows
// neither framework, and hardly anything of sessions: what the examples are
// about is in their own files.
package exampleapp
