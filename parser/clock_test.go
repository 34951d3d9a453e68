package parser

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

// TestZoneIsThatBetweenWrapperAndWallClock: the wrapper's stamp comes some seconds
// after the wall clock's, and zones differ by quarters of an hour.
func TestZoneIsThatBetweenWrapperAndWallClock(t *testing.T) {
	c := clock{zone: time.FixedZone("", 3*3600)}
	at := time.Date(2026, 5, 4, 1, 30, 0, 0, time.UTC)
	for _, offset := range []time.Duration{
		0, 8 * time.Hour, 5*time.Hour + 30*time.Minute, 5*time.Hour + 45*time.Minute, -3*time.Hour - 30*time.Minute, -12 * time.Hour, 14 * time.Hour,
	} {
		for _, late := range []time.Duration{-5 * time.Second, 0, 5 * time.Second, 7 * time.Minute} {
			got := c.resolve(Stamp{Time: at.Add(offset)}, Stamp{Time: at.Add(late), Zoned: true})
			_, zone := got.Zone()
			assert.Equal(t, offset, time.Duration(zone)*time.Second, "wrapper %v later", late)
			assert.True(t, got.Equal(at), "%v, wrapper %v later", offset, late)
		}
	}
	for _, offset := range []time.Duration{-12*time.Hour - 15*time.Minute, 14*time.Hour + 15*time.Minute, 40 * time.Hour} {
		got := c.resolve(Stamp{Time: at.Add(offset)}, Stamp{Time: at, Zoned: true})
		assert.Equal(t, at.Add(offset).Add(-3*time.Hour), got.UTC(), "%v is of no zone", offset)
	}
}

func TestStampWithoutAYearIsOfTheLatestThatFits(t *testing.T) {
	c := clock{zone: time.UTC, reference: time.Date(2026, 1, 2, 12, 0, 0, 0, time.UTC)}
	for stamp, want := range map[string]string{
		"Dec 31 23:00:00": "2025-12-31 23:00:00",
		"Jan  2 12:00:00": "2026-01-02 12:00:00",
		"Jan  3 12:00:00": "2026-01-03 12:00:00", // a clock ahead by a day
		"Jan  3 12:00:01": "2025-01-03 12:00:01",
		"Feb 29 00:00:00": "2024-02-29 00:00:00",
	} {
		at, err := time.Parse(time.Stamp, stamp)
		assert.NoError(t, err)
		assert.Equal(t, want, c.resolve(Stamp{Time: at, Yearless: true}, Stamp{}).Format(time.DateTime), stamp)
	}
	c.reference = time.Date(2026, 12, 31, 23, 30, 0, 0, time.UTC)
	at, err := time.Parse(time.Stamp, "Jan  1 00:10:00")
	assert.NoError(t, err)
	assert.Equal(t, "2027-01-01 00:10:00", c.resolve(Stamp{Time: at, Yearless: true}, Stamp{}).Format(time.DateTime))
}
