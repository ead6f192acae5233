package crossdock

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/google/uuid"

	"github.com/agogsaas/gatehouse/internal/capacity"
)

// The types of locations that goods may be stored in, the best first: bulk storage before the faces that pickers empty.
const (
	reserve    = "RESERVE"
	putaway    = "PUTAWAY"
	pickFace   = "PICK_FACE"
	quarantine = "QUARANTINE"
)

// clearances are the tiers of security, the lowest first.
var clearances = []string{"STANDARD", "RESTRICTED", "SECURE", "HIGH_SECURITY", "VAULT"}

// Need is what a lot needs of its place.
type Need struct {
	Facility Place
	Material string
	Hold     bool // quarantine, and nothing else
	Load     capacity.Load
	Known    bool // whether anybody knows the load
	Box      capacity.Box
	Cold     bool
	// Clearance is the least security.
	Clearance string
	// For is the cancellation that needs it: what it was promised itself does not stand in its way.
	For uuid.UUID
}

// Need is what the lot needs.
func (l Lot) Need(of uuid.UUID) Need {
	n := Need{Facility: l.Facility, Material: l.Material.Code, Hold: l.OnHold(), Box: l.Box, Cold: l.Cold, Clearance: l.Clearance, For: of}
	if l.Piece != nil {
		n.Known = true
		n.Load = capacity.Load{CubicFeet: l.Piece.CubicFeet.Mul(l.Quantity), WeightLbs: l.Piece.WeightLbs.Mul(l.Quantity)}
	}
	return n
}

// Types are the types of locations that will do, the best first.
func (n Need) Types() []string {
	if n.Hold {
		return []string{quarantine}
	}
	return []string{reserve, putaway, pickFace}
}

// Clearances are the tiers that will do.
func (n Need) Clearances() []string {
	return clearances[max(slices.Index(clearances, n.Clearance), 0):]
}

// Bin is a place as it is now.
type Bin struct {
	Spot
	Active, Available bool
	Blocked           string
	Cold              bool
	Clearance         string
	Stated            bool          // somebody said how much it holds
	Free              capacity.Load // without what lies there, and without what is promised to it
	Unknown           bool          // something in it, or promised to it, has a size that nobody knows
	Box               capacity.Box
	Rank              int // how well its kind does; the lower the better
}

// Refuses says why the lot must not lie there, whatever its size; empty where it may.
func (n Need) Refuses(b Bin) string {
	switch {
	case !b.Active:
		return b.Code + " is not in use any more."
	case !b.Available && b.Blocked != "":
		return b.Code + " is blocked: " + b.Blocked + "."
	case !b.Available:
		return b.Code + " is blocked."
	case n.Hold && b.Type != quarantine:
		return "The lot is held for its quality, and " + b.Code + " is no quarantine. Bring it to a location of type QUARANTINE."
	case !slices.Contains(n.Types(), b.Type):
		return b.Code + " is no storage: it is of type " + b.Type + "."
	case n.Cold && !b.Cold:
		return n.Material + " has to be kept cool, and " + b.Code + " is not cooled."
	case !slices.Contains(n.Clearances(), b.Clearance):
		return n.Material + " needs a place of security " + n.Clearance + " or more, and " + b.Code + " is " + b.Clearance + "."
	}
	return ""
}

// Misfits says why the lot does not go in, by the figures; empty where it does. Quarantine without stated capacity is an area
// and takes what comes, and goods that are held go there even where nobody knows how large they are.
func (n Need) Misfits(b Bin) string {
	switch {
	case n.Hold && (!b.Stated || !n.Known):
		return ""
	case !n.Known:
		return "Nobody knows how large " + n.Material + " is."
	case !b.Stated:
		return "Nobody knows how much " + b.Code + " holds."
	case b.Unknown:
		return "In " + b.Code + " lies something whose size nobody knows."
	}
	if v, exceeded := capacity.Judge(n.Load, b.Free); exceeded {
		return fmt.Sprintf("%s for %s: %s ft³ and %s lb are needed, %s ft³ and %s lb are free.", v.Type.Words(), b.Code,
			n.Load.CubicFeet.Round(2), n.Load.WeightLbs.Round(2), b.Free.CubicFeet.Round(2), b.Free.WeightLbs.Round(2))
	}
	if f := n.Box.Into(b.Box); f.Known && !f.Fits {
		return "One piece does not go into " + b.Code + ", whichever way it is turned."
	}
	return ""
}

// Shelves gives the places of a facility that nothing but their sides may rule out, the fullest of the best kind first; no more
// where there are no more.
type Shelves interface {
	Next(ctx context.Context) ([]Bin, error)
}

// Placement is the place that was chosen; where there is none, only why.
type Placement struct {
	Bin *Bin
	Why string
}

// Placer chooses a place for what a lot needs.
type Placer interface {
	Place(ctx context.Context, n Need, s Shelves) (Placement, error)
}

// BestFit takes the place of the best kind that has the least room left, of those that have enough.
type BestFit struct{}

// Place looks through the shelves until something fits.
func (BestFit) Place(ctx context.Context, n Need, s Shelves) (Placement, error) {
	if !n.Known && !n.Hold {
		return Placement{Why: "Nobody knows how large " + n.Material + " is. Once it is measured, a place is found by itself."}, nil
	}
	looked := false
	for {
		bins, err := s.Next(ctx)
		if err != nil {
			return Placement{}, err
		}
		if len(bins) == 0 {
			return Placement{Why: n.nowhere(looked)}, nil
		}
		looked = true
		for _, b := range bins {
			if n.Refuses(b) == "" && n.Misfits(b) == "" {
				return Placement{Bin: &b, Why: n.because(b)}, nil
			}
		}
	}
}

func (n Need) because(b Bin) string {
	switch {
	case n.Hold && !b.Stated:
		return "It is held for its quality, and this is quarantine."
	case n.Hold && !n.Known:
		return "It is held for its quality, and this is quarantine. Nobody knows how large it is: look before you put it down."
	}
	text := fmt.Sprintf("It needs %s ft³ and %s lb, and of the %s places with room for that this has the least: %s ft³ and %s lb.",
		n.Load.CubicFeet.Round(2), n.Load.WeightLbs.Round(2), kind(b.Type), b.Free.CubicFeet.Round(2), b.Free.WeightLbs.Round(2))
	if n.Hold {
		return "It is held for its quality. " + text
	}
	return text
}

// kind is a type of location as people say it.
func kind(t string) string { return strings.ToLower(strings.ReplaceAll(t, "_", " ")) }

func (n Need) nowhere(looked bool) string {
	what := "storage"
	if n.Hold {
		what = "quarantine"
	}
	text := fmt.Sprintf("No %s of %s has room for %s ft³ and %s lb", what, n.Facility.Code, n.Load.CubicFeet.Round(2), n.Load.WeightLbs.Round(2))
	if n.Hold && !n.Known {
		text = fmt.Sprintf("There is no quarantine in %s that is free", n.Facility.Code)
	}
	if n.Cold {
		text += ", cooled"
	}
	if n.Clearance != clearances[0] {
		text += ", of security " + n.Clearance + " or more"
	}
	if looked {
		text += ", into which one piece goes"
	}
	return text + ". It is tried again every minute."
}
