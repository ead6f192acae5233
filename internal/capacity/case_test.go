package capacity

import (
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/agogsaas/gatehouse/internal/actor"
	"github.com/agogsaas/gatehouse/internal/fault"
)

var (
	noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	wes  = actor.Actor{Issuer: "i", Subject: "wes", Name: "Wes"}
	rafa = actor.Actor{Issuer: "i", Subject: "rafa", Name: "Rafa"}
)

func failure(state State) Case {
	v, _ := Judge(load("60", "1"), load("50", "500"))
	c := Case{ID: uuid.New(), Needed: load("60", "1"), Free: load("50", "500"), Quantity: dec("6"), Verdict: v, State: state, Version: 4, Occurrences: 1, OpenedAt: noon.Add(-time.Hour), LastSeen: noon.Add(-time.Hour)}
	switch state {
	case Assigned:
		c.Owner = person(wes)
	case Fixed, Verified:
		c.FixCode, c.FixNotes, c.FixedBy, c.FixedAt = StockMoved, "moved to A-12", person(wes), noon
	case Accepted:
		c.AcceptedBy, c.AcceptUntil, c.AcceptWhy = person(wes), day(noon).AddDate(0, 0, 2), "until the shelf comes"
	case New, Acknowledged, Reopened:
	}
	return c
}

// Every act from every state: what leads on, and that nothing else does.
func TestEveryActFromEveryState(t *testing.T) {
	leads := map[Act]string{
		Acknowledge: "new reopened", Assign: "new acknowledged assigned reopened", FixIt: "new acknowledged assigned reopened", Verify: "fixed", Doubt: "fixed",
		Accept: "new acknowledged assigned accepted reopened", Reopen: "fixed verified accepted", Recur: "fixed verified", Expire: "accepted",
	}
	for act, states := range leads {
		for _, state := range States() {
			c := failure(state)
			err := c.Apply(Change{Act: act, Owner: person(rafa), Code: FalseAlarm, Notes: "because it is so", Until: noon}, rafa, noon)
			want := strings.Contains(" "+states+" ", " "+string(state)+" ")
			if (err == nil) != want {
				t.Errorf("%s of one that is %s: %v, want done %v", act, state, err, want)
			}
			if err == nil && (c.State != act.To() || c.Version != 5) || err != nil && (c.State != state || c.Version != 4 || !fault.Is(err, fault.Conflict)) {
				t.Errorf("%s of one that is %s leaves %s, version %d, %v", act, state, c.State, c.Version, err)
			}
		}
	}
}

func TestWhoFixedItDoesNotVerifyIt(t *testing.T) {
	c := failure(Fixed)
	if err := c.Apply(Change{Act: Verify}, wes, noon); !fault.Is(err, fault.Forbidden) || c.State != Fixed {
		t.Errorf("the fixer verifies: %v, %s", err, c.State)
	}
	if err := c.Apply(Change{Act: Verify}, rafa, noon); err != nil || c.State != Verified || c.VerifiedBy.Name != "Rafa" {
		t.Errorf("somebody else verifies: %v, %+v", err, c.VerifiedBy)
	}
}

func TestWhatIsSeenAgain(t *testing.T) {
	worse := Sighting{Needed: load("100", "1"), Free: load("50", "500"), Lot: "L9", Quantity: dec("10"), At: noon}
	milder := Sighting{Needed: load("51", "1"), Free: load("50", "500"), Lot: "L9", Quantity: dec("5"), At: noon.Add(-2 * time.Hour)}
	for _, c := range []struct {
		state    State
		seen     Sighting
		to       State
		severity Severity
		tell     bool
	}{
		{New, milder, New, Warning, false},
		{New, worse, New, Critical, true},
		{Assigned, worse, Assigned, Critical, true},
		{Fixed, milder, Reopened, Info, true},
		{Verified, worse, Reopened, Critical, true},
		{Accepted, worse, Accepted, Critical, false},
	} {
		f := failure(c.state)
		v, _ := Judge(c.seen.Needed, c.seen.Free)
		tell := f.Again(c.seen, v, noon)
		if f.State != c.to || f.Verdict.Severity != c.severity || tell != c.tell || f.Occurrences != 2 || f.LastSeen.Before(noon.Add(-time.Hour)) {
			t.Errorf("one that is %s, seen again: %s, %s, told %v, seen %d times, last %s", c.state, f.State, f.Verdict.Severity, tell, f.Occurrences, f.LastSeen)
		}
		if reopened := c.to == Reopened; reopened && (f.FixCode != "" || f.FixedBy.Known() || !f.OpenedAt.Equal(noon) || f.Reopened != 1) {
			t.Errorf("one that reopened keeps %q by %q, opened %s", f.FixCode, f.FixedBy.Name, f.OpenedAt)
		}
	}
}

func TestAnAcceptanceEndsWithItsDay(t *testing.T) {
	c := failure(Accepted) // until 3 March
	for at, want := range map[time.Time]bool{noon: false, day(noon).AddDate(0, 0, 3).Add(-time.Second): false, day(noon).AddDate(0, 0, 3): true} {
		if c.Expired(at) != want {
			t.Errorf("at %s expired is %v", at, !want)
		}
	}
	wrong := []time.Time{noon.AddDate(0, 0, -1), day(noon), day(noon).AddDate(0, 0, LongestAcceptance+1)}
	for _, until := range wrong {
		if err := (Request{Act: Accept, Notes: "until the shelf comes", Until: until}).check(noon); !fault.Is(err, fault.Invalid) {
			t.Errorf("accepted until %s: %v", until, err)
		}
	}
	if err := (Request{Act: Accept, Notes: "until the shelf comes", Until: day(noon).AddDate(0, 0, 1)}).check(noon); err != nil {
		t.Errorf("until tomorrow: %v", err)
	}
}

func TestTheCauseWithTheSurestSign(t *testing.T) {
	ptr := func(s string) *Decimal { d := dec(s); return &d }
	right := Evidence{
		MaterialCode: "PR-1", LocationCode: "A-1", LocationType: "RESERVE", Quantity: dec("10"), Needed: load("60", "100"), Free: load("50", "500"),
		UnitVolume: ptr("6"), UnitWeight: ptr("10"), Unit: Box{dec("12"), dec("24"), dec("36")}, MaterialVolume: ptr("6"),
		Bin: Box{dec("48"), dec("48"), dec("96")}, BinVolume: ptr("128"), BinMaxWeight: ptr("4800"), BinsOfMaterial: 1, MaterialsOfBin: 1,
	}
	for name, c := range map[string]struct {
		change func(*Evidence)
		want   Cause
		says   string
	}{
		"nothing contradicts":          {func(*Evidence) {}, Rule, "somebody chose the bin"},
		"a recommendation led there":   {func(e *Evidence) { e.Recommended = true }, Rule, "A recommendation named this bin"},
		"cubic feet against the sides": {func(e *Evidence) { e.MaterialVolume = ptr("0.6") }, BadDimension, "says 0.6 cubic feet, and its own sides make 6"},
		"ten percent is no contradiction": {func(e *Evidence) {
			e.MaterialVolume = ptr("6.6")
			e.UnitVolume = ptr("6.6")
			e.Needed.CubicFeet = dec("66")
		}, Rule, ""},
		"nobody measured it":          {func(e *Evidence) { e.UnitVolume, e.MaterialVolume = nil, nil; e.Unit = Box{} }, BadDimension, "Nobody has measured it"},
		"another size was counted":    {func(e *Evidence) { e.Needed.CubicFeet = dec("600") }, BadDimension, "counted with 60 cubic feet for each, and the master data says 6"},
		"the bin's size is unknown":   {func(e *Evidence) { e.BinVolume = nil }, BadBin, "how large the bin is"},
		"the bin against its sides":   {func(e *Evidence) { e.BinVolume = ptr("12.8") }, BadBin, "hold 12.8 cubic feet, and its own sides make 128"},
		"the bin's weight is unknown": {func(e *Evidence) { e.BinMaxWeight = ptr("0") }, BadBin, "what weight"},
		"others came first":           {func(e *Evidence) { e.Arrived = load("10", "0") }, Race, "a quarter of an hour"},
		"too little came before":      {func(e *Evidence) { e.Arrived = load("9", "0") }, Rule, ""},
		"many bins":                   {func(e *Evidence) { e.BinsOfMaterial = 3 }, BadDimension, "in 3 bins"},
		"many materials":              {func(e *Evidence) { e.BinsOfMaterial, e.MaterialsOfBin = 2, 5 }, BadBin, "5 materials"},
	} {
		e := right
		c.change(&e)
		if g := GuessCause(e); g.Cause != c.want || !strings.Contains(g.Reason, c.says) || g.Subject == "" || g.Label == "" {
			t.Errorf("%s: %+v, want %s that says %q", name, g, c.want, c.says)
		}
	}
}

func TestWhatACorrectionClears(t *testing.T) {
	ptr := func(s string) *Decimal { d := dec(s); return &d }
	c := failure(New) // 60 ft³ of 6 pieces needed, 50 free in a bin of 100
	c.BinCubicFeet, c.BinMaxWeight = ptr("100"), ptr("1000")
	for name, x := range map[string]struct {
		to   Correction
		want bool
	}{
		"ten more":            {Correction{Bin: &Load{dec("110"), dec("1000")}}, true},
		"almost ten more":     {Correction{Bin: &Load{dec("109.9999"), dec("1000")}}, false},
		"larger and too weak": {Correction{Bin: &Load{dec("200"), dec("400")}}, false},
		"a smaller piece":     {Correction{Unit: &Load{dec("8"), dec("1")}}, true},
		"hardly smaller":      {Correction{Unit: &Load{dec("9"), dec("1")}}, false},
		"smaller and heavy":   {Correction{Unit: &Load{dec("1"), dec("100")}}, false},
	} {
		if got := c.Clears(x.to); got != x.want {
			t.Errorf("%s: clears %v", name, got)
		}
	}
	c.BinCubicFeet = nil
	if c.Clears(Correction{Bin: &Load{dec("1000"), dec("1000")}}) {
		t.Error("a bin of unknown size is said to be larger now")
	}
	settled := failure(Verified)
	settled.BinCubicFeet, settled.BinMaxWeight = ptr("100"), ptr("1000")
	if got := Cleared([]Case{settled}, Correction{Bin: &Load{dec("200"), dec("1000")}}); len(got) != 0 {
		t.Errorf("what is settled already would be cleared: %d", len(got))
	}
}

func TestOnlyWhatStillLiesThereCanFailToFit(t *testing.T) {
	unit, free := load("6", "10"), load("50", "500")
	p := Putaway{ID: uuid.New(), Quantity: dec("10"), Unit: &unit, Free: &free, Still: true, At: noon}
	if s, ok := p.Sighting(); !ok || !s.Needed.CubicFeet.Equal(dec("60")) || s.Key != p.ID.String() {
		t.Errorf("10 pieces of 6 ft³ into 50: %+v, %v", s, ok)
	}
	for name, change := range map[string]func(*Putaway){
		"moved on":      func(p *Putaway) { p.Still = false },
		"picked since":  func(p *Putaway) { p.Quantity = dec("0") },
		"not measured":  func(p *Putaway) { p.Unit = nil },
		"no size known": func(p *Putaway) { p.Free = nil },
		"it fits":       func(p *Putaway) { p.Quantity = dec("8") },
	} {
		q := p
		change(&q)
		if _, ok := q.Sighting(); ok {
			t.Errorf("%s: a failure", name)
		}
	}
}
