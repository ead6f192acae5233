package warehouse

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"time"
)

// masterData is what stands still: tenants, facilities, people, materials, bins.
func (p *plan) masterData() []step {
	began := p.Now.AddDate(0, 0, -days-30)
	steps := []step{{
		"tenants",
		[]string{"tenant_id", "tenant_code", "tenant_name", "subscription_tier", "effective_from", "created_at"},
		len(p.tenants),
		func(i int) []any {
			return []any{p.tenants[i].id, p.tenants[i].code, p.tenants[i].name, "ENTERPRISE", began, began}
		},
	}}
	for t := range p.tenants {
		tenant := &p.tenants[t]
		steps = append(steps,
			step{
				"facilities",
				[]string{"tenant_id", "facility_id", "facility_code", "facility_name", "facility_type", "address_line1", "city", "postal_code", "country", "effective_from", "created_at"},
				len(tenant.facilities), func(i int) []any {
					f := tenant.facilities[i]
					return []any{tenant.id, f.id, f.code, f.name, "WAREHOUSE", fmt.Sprintf("%d Mill Road", 10+f.number), f.city, fmt.Sprintf("%05d", 1040+f.number), "US", began, began}
				},
			},
			step{
				"users", []string{"tenant_id", "user_id", "username", "email", "display_name", "roles", "created_at"}, len(tenant.users), func(i int) []any {
					name := strings.ToLower(strings.ReplaceAll(workers[i], " ", "."))
					return []any{tenant.id, tenant.users[i], name, name + "@" + tenant.code + ".example", workers[i], `["warehouse_staff"]`, began}
				},
			},
			step{
				"materials",
				[]string{"tenant_id", "material_id", "material_code", "material_name", "material_type", "material_category", "primary_uom", "width_inches", "height_inches", "thickness_inches", "cubic_feet", "weight_lbs_per_unit", "abc_classification", "standard_cost", "unit_cost", "temperature_controlled", "created_at"},
				len(tenant.materials), func(i int) []any { return materialRow(tenant, tenant.materials[i], i, began) },
			})
		for f := range tenant.facilities {
			facility := &tenant.facilities[f]
			steps = append(steps, step{
				"inventory_locations",
				[]string{"tenant_id", "location_id", "facility_id", "location_code", "barcode", "zone_code", "aisle_code", "location_type", "abc_classification", "length_inches", "width_inches", "height_inches", "max_weight_lbs", "cubic_feet", "pick_sequence", "created_at"},
				len(facility.bins), func(i int) []any {
					b := facility.bins[i]
					aisle := b.aisle
					if i%2 == 1 {
						aisle = "" // only in the code: V0.0.16 fills it in
					}
					return []any{tenant.id, b.id, facility.id, b.code, facility.mark + b.code, b.zone, orNull(aisle), b.kind, orNull(b.abc), decimal(b.length, 2), decimal(b.width, 2), decimal(b.height, 2), decimal(b.pounds, 2), decimal(b.cubicFeet(), 4), b.sequence, began}
				},
			})
		}
	}
	return steps
}

// materialRow is where dimensions go missing or wrong. Two in three carry their
// cubic feet beside the inches; the rest leave them to be worked out.
func materialRow(t *tenant, m material, i int, at time.Time) []any {
	var width, height, depth, volume any = decimal(m.width, 4), decimal(m.height, 4), decimal(m.depth, 6), nil
	switch {
	case planted(MissingDimensions, t.code, m.code):
		width, height, depth = nil, nil, nil
	case planted(WrongDimensions, t.code, m.code):
		volume = decimal(m.cubicFeet()/10, 4)
	case i%3 != 0:
		volume = decimal(m.cubicFeet(), 4)
	}
	return []any{t.id, m.id, m.code, m.name, m.kind, m.kind, "EA", width, height, depth, volume, decimal(m.pounds, 4), orNull(m.abc), decimal(m.cost, 4), decimal(m.cost, 4), m.kind == "INK" && i%40 == 12, at}
}

type lot struct {
	number             string
	material           int
	bin                int
	original, quantity int
	received           time.Time
	quality            string
}

// lots fills the bins of a facility, most of them about two thirds.
func (p *plan) lots(t *tenant, f *facility) []lot {
	dice := p.dice('l', f.number)
	must := stockedFirst(t.code, f.code)
	var all []lot
	for b, bin := range f.bins {
		if bin.kind != "PICK_FACE" && bin.kind != "RESERVE" {
			continue
		}
		var pieces int
		fill := math.Min(94, math.Max(8, 68+14*dice.NormFloat64()))
		overfilled := planted(Overfilled, f.code, bin.code)
		switch {
		case overfilled:
			fill, pieces = 125+30*dice.Float64(), 1
		case dice.IntN(100) < 8 && len(must) == 0:
			continue // an empty bin
		default:
			pieces = 2 + dice.IntN(4)
		}
		room, load := bin.cubicFeet()*fill/100, bin.pounds*0.97
		for piece := range pieces {
			share := room / float64(pieces-piece)
			m, forced := p.fitting(t, dice, share, load), false
			switch {
			case overfilled: // with ink pails: small enough to go beyond by a little
				m, load, forced = 14+20*(b%20), math.Inf(1), true
			case piece == 0 && len(must) > 0:
				m, must, forced = index(t.materials, must[0]), must[1:], true
			}
			material := t.materials[m]
			quantity := int(math.Min(share/material.cubicFeet(), load/material.pounds))
			if forced {
				quantity = max(quantity, 1)
			}
			if quantity < 1 {
				continue
			}
			room, load = room-float64(quantity)*material.cubicFeet(), load-float64(quantity)*material.pounds
			all = append(all, lot{
				number: fmt.Sprintf("%s-%07d", f.mark, len(all)+1), material: m, bin: b, quantity: quantity, original: quantity + dice.IntN(1+quantity),
				received: p.Now.AddDate(0, 0, -1-dice.IntN(days)), quality: quality(dice.IntN(200)),
			})
		}
	}
	return all
}

// fitting draws a material of which one unit at least has room; a paper roll does not go into what is left of a pick face.
func (p *plan) fitting(t *tenant, dice *rand.Rand, cubicFeet, pounds float64) int {
	m := dice.IntN(len(t.materials))
	for range 8 {
		if t.materials[m].cubicFeet() <= cubicFeet && t.materials[m].pounds <= pounds {
			break
		}
		m = dice.IntN(len(t.materials))
	}
	return m
}

func quality(roll int) string {
	switch {
	case roll < 4:
		return "HOLD"
	case roll < 7:
		return "QUARANTINE"
	case roll < 10:
		return "PENDING_INSPECTION"
	case roll < 11:
		return "REJECTED"
	}
	return "RELEASED"
}

func index(materials []material, code string) int {
	for i, m := range materials {
		if m.code == code {
			return i
		}
	}
	panic("no material " + code + ": the table of faults names one that no tenant has")
}
