// Package search finds by literals what is worth a closer look: a [Set] the lines of
// a log in which one of a few stands, at the speed of reading them; a [Dispatch] the
// expressions, out of many, that a text may match. Which literals an expression
// implies is told by [Required] and [Literals].
package search
