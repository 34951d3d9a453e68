package patterns

import "wklog/patterns/internal/ranking"

// RankCauses gives the causes of a pattern, most probable first, whatever the form of
// the record.
func (p *Pattern) RankCauses() ([]CauseScore, error) {
	if !p.Measured {
		return p.Causes, nil
	}
	r, err := ranking.Load()
	if err != nil {
		return nil, err
	}
	return r.RankPattern(p.ID), nil
}

// RankCauses gives the causes of a client's verdict on the certificate in a handshake
// state, most probable first; none when no verdict was ever seen there.
func (s *State) RankCauses() ([]CauseScore, error) {
	r, err := ranking.Load()
	if err != nil {
		return nil, err
	}
	return r.RankState(s.ID), nil
}
