package crossdock

import (
	"context"
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/shopspring/decimal"

	"github.com/agogsaas/gatehouse/internal/capacity"
)

func d(text string) Decimal { return decimal.RequireFromString(text) }

func load(cubicFeet, pounds string) capacity.Load {
	return capacity.Load{CubicFeet: d(cubicFeet), WeightLbs: d(pounds)}
}

func bin(code, kind string, change ...func(*Bin)) Bin {
	b := Bin{
		Spot: Spot{Place: Place{ID: uuid.NewSHA1(uuid.Nil, []byte(code)), Code: code}, Type: kind}, Active: true, Available: true, Clearance: "STANDARD", Stated: true,
		Free: load("100", "1000"), Box: capacity.Box{Length: d("48"), Width: d("48"), Height: d("75")},
	}
	for _, c := range change {
		c(&b)
	}
	return b
}

func need(change ...func(*Need)) Need {
	n := Need{
		Facility: Place{Code: "F"}, Material: "M", Load: load("60", "100"), Known: true, Clearance: "STANDARD",
		Box: capacity.Box{Length: d("12"), Width: d("24"), Height: d("36")},
	}
	for _, c := range change {
		c(&n)
	}
	return n
}

func TestWhatMayLieWhere(t *testing.T) {
	held := func(n *Need) { n.Hold = true }
	unknown := func(n *Need) { n.Known = false }
	for _, c := range []struct {
		what             string
		need             Need
		bin              Bin
		refuses, misfits string // a part of the sentence; empty: none
	}{
		{"exactly as much as is free", need(func(n *Need) { n.Load = load("100", "1000") }), bin("B", reserve), "", ""},
		{"a hair more", need(func(n *Need) { n.Load = load("100.0001", "1000") }), bin("B", reserve), "", "Too little volume"},
		{"too heavy", need(func(n *Need) { n.Load = load("1", "1000.01") }), bin("B", reserve), "", "Too much weight"},
		{"fits when turned", need(func(n *Need) { n.Box = capacity.Box{Length: d("75"), Width: d("10"), Height: d("10")} }), bin("B", reserve), "", ""},
		{"fits no way", need(func(n *Need) { n.Box = capacity.Box{Length: d("76"), Width: d("10"), Height: d("10")} }), bin("B", reserve), "", "whichever way"},
		{"the dock again", need(), bin("S", "STAGING"), "no storage", ""},
		{"shipping", need(), bin("S", "SHIPPING"), "no storage", ""},
		{"quarantine for good ones", need(), bin("Q", quarantine), "no storage", ""},
		{"held in storage", need(held), bin("B", reserve), "quarantine", ""},
		{"held in quarantine", need(held), bin("Q", quarantine), "", ""},
		{"held in quarantine that is full", need(held), bin("Q", quarantine, func(b *Bin) { b.Free = load("1", "1") }), "", "Too little"},
		{"held in an area without figures", need(held), bin("Q", quarantine, func(b *Bin) { b.Stated = false }), "", ""},
		{"held, of unknown size", need(held, unknown), bin("Q", quarantine), "", ""},
		{"of unknown size", need(unknown), bin("B", reserve), "", "Nobody knows how large M is"},
		{"a bin without figures", need(), bin("B", reserve, func(b *Bin) { b.Stated = false }), "", "Nobody knows how much"},
		{"a bin with something unknown in it", need(), bin("B", reserve, func(b *Bin) { b.Unknown = true }), "", "nobody knows"},
		{"blocked", need(), bin("B", reserve, func(b *Bin) { b.Available, b.Blocked = false, "rack bent" }), "rack bent", ""},
		{"given up", need(), bin("B", reserve, func(b *Bin) { b.Active = false }), "not in use", ""},
		{"must be cool", need(func(n *Need) { n.Cold = true }), bin("B", reserve), "cool", ""},
		{"is cool", need(func(n *Need) { n.Cold = true }), bin("B", reserve, func(b *Bin) { b.Cold = true }), "", ""},
		{"too little security", need(func(n *Need) { n.Clearance = "SECURE" }), bin("B", reserve, func(b *Bin) { b.Clearance = "RESTRICTED" }), "security SECURE", ""},
		{"more security than needed", need(func(n *Need) { n.Clearance = "SECURE" }), bin("B", reserve, func(b *Bin) { b.Clearance = "VAULT" }), "", ""},
		{"standard goods in a vault", need(), bin("B", reserve, func(b *Bin) { b.Clearance = "VAULT" }), "", ""},
	} {
		if got := c.need.Refuses(c.bin); (got == "") != (c.refuses == "") || !strings.Contains(got, c.refuses) {
			t.Errorf("%s: Refuses = %q, want %q", c.what, got, c.refuses)
		}
		if c.refuses != "" {
			continue
		}
		if got := c.need.Misfits(c.bin); (got == "") != (c.misfits == "") || !strings.Contains(got, c.misfits) {
			t.Errorf("%s: Misfits = %q, want %q", c.what, got, c.misfits)
		}
	}
}

// pagesOf gives bins as a database does, some at a time.
type pagesOf [][]Bin

func (p *pagesOf) Next(context.Context) ([]Bin, error) {
	if len(*p) == 0 {
		return nil, nil
	}
	page := (*p)[0]
	*p = (*p)[1:]
	return page, nil
}

func TestBestFitLooksFurtherThanOnePage(t *testing.T) {
	long := need(func(n *Need) { n.Box = capacity.Box{Length: d("100"), Width: d("1"), Height: d("1")} })
	short := bin("SHORT", reserve)
	deep := bin("DEEP", reserve, func(b *Bin) { b.Box.Length = d("120") })
	got, err := BestFit{}.Place(t.Context(), long, &pagesOf{{short, short}, {short, deep}})
	if err != nil || got.Bin == nil || got.Bin.Code != "DEEP" {
		t.Errorf("Place = %+v, %v; want DEEP, on the second page", got, err)
	}
	got, err = BestFit{}.Place(t.Context(), long, &pagesOf{{short}})
	if err != nil || got.Bin != nil || !strings.Contains(got.Why, "one piece") {
		t.Errorf("Place = %+v, %v; want none, and why", got, err)
	}
}
