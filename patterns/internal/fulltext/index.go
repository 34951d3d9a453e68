// Package fulltext finds the documents that fit some words best, in English and in
// Chinese. It ranks as BM25F does (Robertson and Zaragoza, The Probabilistic Relevance
// Framework, 2009, section 3.6): a word counts the more the fewer documents have it,
// and by the field in which it stands.
package fulltext

import (
	"cmp"
	"math"
	"slices"
	"strings"

	"github.com/agnivade/levenshtein"
)

// Field is a text of a document. A word in it counts Weight times.
type Field struct {
	Text   string
	Weight float64
}

// Index holds documents by the order in which they were added. Its zero value is
// empty.
type Index struct {
	numbers  map[string]int // of the terms
	postings [][]posting
	lengths  []float64
}

type posting struct {
	document int
	weight   float64
}

// Add adds a document.
func (x *Index) Add(fields ...Field) {
	if x.numbers == nil {
		const usual = 1 << 13
		x.numbers = make(map[string]int, usual)
	}
	document, length := len(x.lengths), 0.0
	for _, field := range fields {
		for _, term := range Terms(Words(field.Text)) {
			length++
			n, known := x.numbers[term]
			if !known {
				n = len(x.postings)
				x.numbers[term], x.postings = n, append(x.postings, nil)
			}
			list := x.postings[n]
			if last := len(list) - 1; last >= 0 && list[last].document == document {
				list[last].weight += field.Weight
				continue
			}
			x.postings[n] = append(list, posting{document, field.Weight})
		}
	}
	x.lengths = append(x.lengths, length)
}

// Hit is a document that has words that were asked for. Coverage, from 0 to 1, is how
// much of what was asked for it has; words that tell much count more.
type Hit struct {
	Document        int
	Score, Coverage float64
}

// Search returns the documents that hold one of the words, or one that is written
// nearly so, best first.
func (x *Index) Search(words []string) []Hit {
	hits := make([]Hit, len(x.lengths))
	total := 0.0
	mean := x.meanLength()
	for _, term := range Terms(words) {
		spelt, share := x.spelling(term)
		list := x.of(spelt)
		telling := x.telling(len(list))
		total += telling
		for _, p := range list {
			const saturation, lengthMatters = 1.2, 0.4
			weight := p.weight / (1 - lengthMatters + lengthMatters*x.lengths[p.document]/mean)
			hits[p.document].Score += share * telling * weight / (saturation + weight)
			hits[p.document].Coverage += share * telling
		}
	}
	for i := range hits {
		hits[i].Document = i
		hits[i].Coverage /= total
	}
	hits = slices.DeleteFunc(hits, func(h Hit) bool { return h.Score == 0 })
	slices.SortStableFunc(hits, func(a, b Hit) int { return cmp.Compare(b.Score, a.Score) })
	return hits
}

// of are the documents that hold a term.
func (x *Index) of(term string) []posting {
	if n, ok := x.numbers[term]; ok {
		return x.postings[n]
	}
	return nil
}

func (x *Index) meanLength() float64 {
	sum := 0.0
	for _, length := range x.lengths {
		sum += length
	}
	return sum / max(float64(len(x.lengths)), 1)
}

// telling is how much a term that stands in n documents tells (the inverse document
// frequency).
func (x *Index) telling(n int) float64 {
	return math.Log(1 + (float64(len(x.lengths)-n)+0.5)/(float64(n)+0.5))
}

// spelling is the term of the index that a term means, and how sure that is, from 0
// to 1: itself, one that goes on behind it, or one that differs by a slip of the hand.
func (x *Index) spelling(term string) (spelt string, share float64) {
	const shortest, begins, slips = 4, 0.8, 0.7
	if _, ok := x.numbers[term]; ok || len(term) < shortest || strings.ContainsAny(term, "0123456789") {
		return term, 1
	}
	for other := range x.numbers {
		closeness := 0.0
		switch {
		case strings.HasPrefix(other, term):
			closeness = begins
		case nearlyEqual(term, other):
			closeness = slips
		}
		better := cmp.Or(cmp.Compare(closeness, share), cmp.Compare(len(x.of(other)), len(x.of(spelt))), cmp.Compare(spelt, other))
		if closeness > 0 && better > 0 {
			spelt, share = other, closeness
		}
	}
	return cmp.Or(spelt, term), share
}

// nearlyEqual allows one slip in five letters, two in eight.
func nearlyEqual(a, b string) bool {
	const oneSlip, twoSlips = 5, 8
	if a[0] >= 0x80 || len(a) < oneSlip || abs(len(a)-len(b)) > 2 {
		return false
	}
	distance := levenshtein.ComputeDistance(a, b)
	return distance == 1 || distance == 2 && len(a) >= twoSlips
}

func abs(n int) int { return max(n, -n) }
