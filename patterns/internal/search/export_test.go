package search

// Widths are the ways to search that this processor has.
var Widths = func() []int {
	var all []int
	for width := vectorWidth; width > 0; width -= 32 {
		all = append(all, width)
	}
	return append(all, 0)
}()

// WithWidth runs something with another vector width.
func WithWidth(width int, run func()) {
	before := vectorWidth
	defer func() { vectorWidth = before }()
	vectorWidth = width
	run()
}
