// Package engine reads what engines that keep logs answer with.
package engine
