package dossier

import (
	"fmt"

	"github.com/google/uuid"

	"github.com/agogsaas/gatehouse/internal/snapshot"
)

// compare lays the hours beside the baseline, as the page of the snapshots does.
func (d Dossier) compare() ([]Comparison, error) {
	r := d.Record
	run := snapshot.Run{ID: r.Release.ID, Code: r.Release.Code, T0: r.Release.T0, Migrated: d.Migrated, Unmigrated: d.Unmigrated}
	var stored []snapshot.Stored
	for _, s := range r.Snapshots {
		head := snapshot.Head{ID: s.ID, Point: snapshot.Point(s.Point), T0: s.T0, DueAt: s.DueAt, TakenAt: s.TakenAt, SHA256: s.SHA256}
		run.Taken, stored = append(run.Taken, head), append(stored, snapshot.Stored{Head: head, Text: s.Content})
	}
	w, err := snapshot.Lay(run, stored, r.Release.T0)
	if err != nil {
		return nil, err
	}
	list := []Comparison{}
	for _, p := range snapshot.Hours {
		hour := w.Hours[p]
		if hour == nil {
			continue
		}
		c := Comparison{Point: string(p), Snapshot: hour.ID, Lines: []ComparedLine{}}
		if w.Base != nil {
			c.Baseline = &w.Base.ID
		}
		for _, l := range w.Lines {
			if cell, ok := l.Hours[p]; ok {
				c.Lines = append(c.Lines, ComparedLine{
					Kind: string(l.Kind), Name: l.Name, Title: l.Title, Unit: l.Unit, Before: Measured{string(l.Base.State), l.Base.Value},
					After: Measured{string(cell.State), cell.Value}, Verdict: string(cell.Verdict), Change: cell.Change,
				})
			}
		}
		list = append(list, c)
	}
	return list, nil
}

// compared checks that what stands beside each other is what the two snapshots say. What is better or worse is not judged
// again: a later program may know better, and the dossier says what was said then.
func (v *verifier) compared() {
	said := map[uuid.UUID]map[string]Measured{}
	for _, s := range v.record.Snapshots {
		content, intact, err := snapshot.Read(s.Content, s.SHA256)
		switch {
		case err != nil:
			v.complain(recordFile, snapshotRow(s.ID), "its content cannot be read: %s", err)
			continue
		case !intact:
			v.complain(recordFile, snapshotRow(s.ID), "hash mismatch: it was changed after it was taken")
			continue
		case content.Run != v.record.Release.ID || string(content.Point) != s.Point || !content.T0.Equal(s.T0) || !content.DueAt.Equal(s.DueAt) || !content.TakenAt.Equal(s.TakenAt):
			v.complain(recordFile, snapshotRow(s.ID), "its content is of another hour than the row says")
		}
		said[s.ID] = measured(content)
	}
	for _, c := range v.record.Compared {
		before := map[string]Measured{}
		if c.Baseline != nil {
			before = said[*c.Baseline]
		}
		for _, l := range c.Lines {
			name := l.Kind + " " + l.Name
			if l.Before != before[name] || l.After != said[c.Snapshot][name] {
				v.complain(recordFile, fmt.Sprintf("%s of %s compared", l.Name, c.Point), "the snapshots say something else")
			}
		}
	}
}

// measured are the states and values of a snapshot by kind and name.
func measured(c snapshot.Content) map[string]Measured {
	m := map[string]Measured{}
	for _, h := range c.Health {
		m[string(snapshot.KindCheck)+" "+h.Name] = Measured{string(h.State), h.Value}
	}
	for _, f := range c.Metrics {
		m[string(snapshot.KindMetric)+" "+f.Name] = Measured{string(f.State), f.Value}
	}
	for _, s := range c.Series {
		m[string(snapshot.KindSeries)+" "+s.Name] = Measured{string(s.State), s.Mean}
	}
	return m
}
