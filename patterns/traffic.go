package patterns

import "time"

// holidays are as long as a server without users may be silent (the longest in China
// take eight days and a night): where the log does not show that anything goes on,
// only a longer pause is one.
const holidays = 8*24 + 12

// traffic is when the logs of a unit were written to.
type traffic struct{}

func (t *traffic) with(*traffic) *traffic { return t }

// hours are those from one time to another, as far as it is known that the unit was
// at work: with the average traffic.
func (u *unit) hours(from, to time.Time) float64 {
	if !to.After(from) {
		return 0
	}
	return to.Sub(from).Hours()
}
