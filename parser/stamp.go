package parser

import (
	"strconv"
	"time"
)

// Stamp is a time as it stands in a log.
type Stamp struct {
	// Time is the instant if Zoned, else the printed wall clock held in UTC.
	Time time.Time
	// Zoned says that the zone was printed, or is known by definition as in
	// epoch seconds.
	Zoned bool
	// Yearless says that no year was printed (BSD syslog, RFC 3164 section
	// 4.1.2); Time then has year 0.
	Yearless bool
	// Fraction is how many digits of the second's fraction were printed: 3 for
	// milliseconds, 9 for nanoseconds.
	Fraction int
}

// IsZero reports whether there is no time at all.
func (s Stamp) IsZero() bool { return s.Time.IsZero() }

// digits2 returns the two-digit number at b[i:], -1 if there is none.
func digits2(b []byte, i int) int {
	if i+2 > len(b) {
		return -1
	}
	hi, lo := b[i]-'0', b[i+1]-'0'
	if hi > 9 || lo > 9 {
		return -1
	}
	return int(hi)*10 + int(lo)
}

// scanDateTime reads a date and time at the start of b and returns how many
// bytes it takes, 0 if there is none. The date is year first with -, / or ., the
// time follows a T or a blank, fraction and zone (Z, +08:00, +0800) may be
// absent. That covers RFC 3339, every release of WuKongIM, nginx and Go's log.
func scanDateTime(b []byte) (Stamp, int) {
	if len(b) < 19 {
		return Stamp{}, 0
	}
	sep := b[4]
	if (sep != '-' && sep != '/' && sep != '.') || b[7] != sep || (b[10] != 'T' && b[10] != ' ') {
		return Stamp{}, 0
	}
	century, year, month, day := digits2(b, 0), digits2(b, 2), digits2(b, 5), digits2(b, 8)
	if century < 0 || year < 0 || month < 1 || month > 12 || day < 1 || day > 31 {
		return Stamp{}, 0
	}
	sec, nano, fraction, n := scanClock(b[11:])
	if n == 0 {
		return Stamp{}, 0
	}
	t := time.Date(century*100+year, time.Month(month), day, 0, 0, sec, nano, time.UTC)
	if sec < 86400 && t.Day() != day { // 30 February
		return Stamp{}, 0
	}
	n += 11
	offset, z := scanZone(b[n:])
	if z == 0 {
		return Stamp{Time: t, Fraction: fraction}, n
	}
	return Stamp{Time: wallClock(t, offset), Zoned: true, Fraction: fraction}, n + z
}

// wallClock returns the instant at which a clock offset seconds east of UTC shows
// the wall clock t.
func wallClock(t time.Time, offset int) time.Time {
	if offset == 0 {
		return t
	}
	return t.Add(-time.Duration(offset) * time.Second).In(time.FixedZone("", offset))
}

// scanClock reads 15:04:05 with an optional fraction after . or , and returns
// the second of the day, the nanoseconds, the digits of the fraction and the bytes
// read. Leap seconds pass.
func scanClock(b []byte) (sec, nano, fraction, n int) {
	if len(b) < 8 || b[2] != ':' || b[5] != ':' {
		return 0, 0, 0, 0
	}
	h, m, s := digits2(b, 0), digits2(b, 3), digits2(b, 6)
	if h < 0 || h > 23 || m < 0 || m > 59 || s < 0 || s > 60 {
		return 0, 0, 0, 0
	}
	n = 8
	if n+1 < len(b) && (b[n] == '.' || b[n] == ',') && isDigit(b[n+1]) {
		nano, fraction = scanFraction(b[n+1:])
		n += 1 + fraction
	}
	return h*3600 + m*60 + s, nano, fraction, n
}

// scanFraction reads the digits after a decimal point as nanoseconds; what is
// finer is dropped.
func scanFraction(b []byte) (nano, n int) {
	unit := 100_000_000
	for n < len(b) && isDigit(b[n]) {
		nano += int(b[n]-'0') * unit
		unit /= 10
		n++
	}
	return nano, n
}

// scanZone reads Z, +08:00 or +0800 and returns the seconds east of UTC and
// the bytes read, 0 if there is no zone.
func scanZone(b []byte) (offset, n int) {
	if len(b) == 0 {
		return 0, 0
	}
	if b[0] == 'Z' {
		return 0, 1
	}
	if b[0] != '+' && b[0] != '-' {
		return 0, 0
	}
	h, i := digits2(b, 1), 3
	if len(b) > 3 && b[3] == ':' {
		i = 4
	}
	m := digits2(b, i)
	if h < 0 || h > 23 || m < 0 || m > 59 {
		return 0, 0
	}
	offset = h*3600 + m*60
	if b[0] == '-' {
		offset = -offset
	}
	return offset, i + 2
}

const months = "JanFebMarAprMayJunJulAugSepOctNovDec"

// monthOf is the month that b begins with, 0 for none.
func monthOf(b []byte) time.Month {
	for m := range 12 {
		if string(b[:3]) == months[3*m:3*m+3] {
			return time.Month(m + 1)
		}
	}
	return 0
}

// scanBSDTime reads `Jan _2 15:04:05`, the day padded with a zero or a blank,
// at the start of b and returns the bytes read, 0 if there is none.
func scanBSDTime(b []byte) (Stamp, int) {
	if len(b) < 15 || b[3] != ' ' || b[6] != ' ' {
		return Stamp{}, 0
	}
	month := monthOf(b)
	day := digits2(b, 4)
	if b[4] == ' ' && isDigit(b[5]) {
		day = int(b[5] - '0')
	}
	sec, nano, fraction, n := scanClock(b[7:])
	if month == 0 || day < 1 || day > 31 || n == 0 {
		return Stamp{}, 0
	}
	t := time.Date(0, month, day, 0, 0, sec, nano, time.UTC)
	return Stamp{Time: t, Yearless: true, Fraction: fraction}, 7 + n
}

// parseEpoch reads a decimal number of seconds since 1970, or of milli-,
// micro- or nanoseconds where it is too great for seconds of this age.
func parseEpoch(b []byte) (Stamp, bool) {
	whole, i := int64(0), 0
	for i < len(b) && isDigit(b[i]) && i < 19 {
		whole = whole*10 + int64(b[i]-'0')
		i++
	}
	nano, fraction := 0, 0
	if i > 0 && i+1 < len(b) && b[i] == '.' {
		nano, fraction = scanFraction(b[i+1:])
		i += 1 + fraction
	}
	if i == 0 || whole < 0 {
		return Stamp{}, false
	}
	if i < len(b) { // an exponent
		f, err := strconv.ParseFloat(string(b), 64)
		if err != nil || !(f > 0 && f < 1e11) {
			return Stamp{}, false
		}
		whole, nano = int64(f), int((f-float64(int64(f)))*1e9)
	}
	s := Stamp{Zoned: true, Fraction: fraction}
	switch {
	case whole < 1e11:
		s.Time = time.Unix(whole, int64(nano)).UTC()
	case whole < 1e14:
		s.Time, s.Fraction = time.UnixMilli(whole).UTC(), 3
	case whole < 1e17:
		s.Time, s.Fraction = time.UnixMicro(whole).UTC(), 6
	default:
		s.Time, s.Fraction = time.Unix(0, whole).UTC(), 9
	}
	return s, true
}

func isDigit(c byte) bool { return c-'0' <= 9 }
