package parser

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
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

func TestFirstStampWithoutAYearIsOfTheLatestThatFits(t *testing.T) {
	reference := time.Date(2026, 1, 2, 12, 0, 0, 0, time.UTC)
	for stamp, want := range map[string]string{
		"Dec 31 23:00:00": "2025-12-31 23:00:00",
		"Jan  2 12:00:00": "2026-01-02 12:00:00",
		"Jan  3 12:00:00": "2026-01-03 12:00:00", // a clock ahead by a day
		"Jan  3 12:00:01": "2025-01-03 12:00:01",
		"Feb 29 00:00:00": "2024-02-29 00:00:00",
	} {
		assert.Equal(t, []string{want}, years(t, &clock{zone: time.UTC, reference: reference}, stamp), stamp)
	}
	c := &clock{zone: time.UTC, reference: time.Date(2026, 12, 31, 23, 30, 0, 0, time.UTC)}
	assert.Equal(t, []string{"2027-01-01 00:10:00"}, years(t, c, "Jan  1 00:10:00"))
}

// years resolves stamps without a year in their order.
func years(t *testing.T, c *clock, stamps ...string) []string {
	t.Helper()
	var got []string
	for _, stamp := range stamps {
		at, err := time.Parse(time.Stamp, stamp)
		require.NoError(t, err)
		got = append(got, c.resolve(Stamp{Time: at, Yearless: true}, Stamp{}).Format(time.DateTime))
	}
	return got
}

func TestTimeWithoutAYearDoesNotJumpBack(t *testing.T) {
	reference := time.Date(2026, 11, 28, 12, 0, 0, 0, time.UTC)
	assert.Equal(t, []string{"2026-11-27 10:00:00", "2026-11-29 23:00:00", "2026-12-02 10:00:00", "2026-12-01 10:00:00", "2027-01-01 00:00:00"},
		years(t, &clock{zone: time.UTC, reference: reference}, "Nov 27 10:00:00", "Nov 29 23:00:00", "Dec  2 10:00:00", "Dec  1 10:00:00", "Jan  1 00:00:00"))
	assert.Equal(t, []string{"2025-12-31 23:59:59", "2026-01-01 00:00:00", "2025-12-31 23:59:58"},
		years(t, &clock{zone: time.UTC, reference: time.Date(2026, 1, 1, 0, 1, 0, 0, time.UTC)}, "Dec 31 23:59:59", "Jan  1 00:00:00", "Dec 31 23:59:58"))
	c := &clock{zone: time.UTC, reference: reference}
	c.resolve(Stamp{Time: time.Date(2024, 3, 21, 15, 2, 28, 0, time.UTC)}, Stamp{Time: time.Date(0, 3, 21, 15, 2, 28, 0, time.UTC), Yearless: true})
	assert.Equal(t, []string{"2024-03-21 15:02:29"}, years(t, c, "Mar 21 15:02:29"), "a year that a program prints behind syslog's time")
}

// TestEndOfAFileTellsItsYear: the log is older than the change of its file.
func TestEndOfAFileTellsItsYear(t *testing.T) {
	const log = "Nov  2 10:00:00 im01 haproxy[914]: panic: first\nDec 24 10:00:00 im01 haproxy[914]: panic: second\nno time\n"
	var got []string
	opts := Options{Zone: time.UTC, Reference: time.Date(2026, 11, 28, 12, 0, 0, 0, time.UTC)}
	_, err := ReadAt(t.Context(), strings.NewReader(log), int64(len(log)), 2, opts, func(rec *Record) error {
		got = append(got, rec.Stamp.Time.Format(time.DateOnly))
		return nil
	})
	require.NoError(t, err)
	assert.Equal(t, []string{"2025-11-02", "2025-12-24"}, got[:2])
}
