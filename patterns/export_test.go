package patterns

import "wklog/patterns/internal/ranking"

// RankWith lets an analyzer rank by another ranker than the one that is embedded.
func (a *Analyzer) RankWith(r *ranking.Ranker) { a.ranker = r }
