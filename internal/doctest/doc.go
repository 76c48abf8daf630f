// Package doctest checks what README.md and the pages in docs say: that their
// Go compiles, that their commands do what they should, and that their links
// lead somewhere. The guides for newcomers and the pages about the command
// line have tests of their own.
package doctest
