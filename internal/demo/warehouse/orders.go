package warehouse

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"time"
)

// issue is one pick for one order line.
type issue struct {
	at            time.Time
	material, bin int
	lot           string
	quantity      int
	order         int
}

type salesOrder struct {
	at, ship time.Time
	status   string
	urgent   bool
	lines    int
}

// book is what happened, and is happening, in one facility.
type book struct {
	lots   []lot
	issues []issue
	orders []salesOrder
}

// operations are the steps of one facility's book: its lots and whatever moved them.
func (p *plan) operations(t *tenant, f *facility) []step {
	b := book{lots: p.lots(t, f)}
	p.pick(t, f, &b)
	p.order(f, &b)
	open, openLines := p.openOrders(f, &b)
	orders := slices.Concat(b.orders, open)
	steps := []step{
		{
			"lots",
			[]string{"tenant_id", "lot_id", "facility_id", "lot_number", "material_id", "original_quantity", "quantity_on_hand", "quantity_available", "location_id", "received_date", "expiration_date", "quality_status", "created_at"},
			len(b.lots), func(i int) []any {
				l := b.lots[i]
				m := t.materials[l.material]
				var expires any
				if m.kind == "INK" || m.kind == "ADHESIVE" {
					expires = l.received.AddDate(1, 0, 0)
				}
				quantity := decimal(float64(l.quantity), 4)
				return []any{t.id, p.id('l', f.number, i), f.id, l.number, m.id, decimal(float64(l.original), 4), quantity, quantity, f.bins[l.bin].id, l.received, expires, l.quality, l.received}
			},
		},
		{
			"sales_orders",
			[]string{"tenant_id", "sales_order_id", "facility_id", "sales_order_number", "status", "priority", "order_priority", "order_date", "requested_ship_date", "created_at"},
			len(orders), func(i int) []any {
				o := orders[i]
				priority, word := 5, "NORMAL"
				if o.urgent {
					priority, word = 1, "URGENT"
				}
				return []any{t.id, p.id('o', f.number, i), f.id, fmt.Sprintf("SO-%s-%06d", f.mark, i+1), o.status, priority, word, o.at, o.ship, o.at}
			},
		},
		p.orderLines(t, f, &b, openLines),
		p.transactions(t, f, &b),
	}
	return append(steps, p.waves(t, f, &b)...)
}

// pick spreads each stocked material's picks evenly over the six months, so
// that none speeds up or slows down but those that are meant to.
func (p *plan) pick(t *tenant, f *facility, b *book) {
	dice := p.dice('i', f.number)
	seen := map[int]bool{}
	for _, l := range b.lots {
		m := t.materials[l.material]
		if seen[l.material] || m.picks == 0 {
			continue
		}
		seen[l.material] = true
		for month := range days / 30 { // the last 30 days are month 0
			picks := m.picks
			switch {
			case planted(VelocitySpike, f.code, m.code) && month == 0:
				picks *= 6
			case planted(DeadStock, f.code, m.code) && month == 0:
				picks = 0
			}
			for n := range picks {
				// Kept an hour clear of both ends of its month.
				within := time.Hour + time.Duration((float64(n)+dice.Float64())/float64(picks)*float64(30*24*time.Hour-2*time.Hour))
				b.issues = append(b.issues, issue{
					at: p.Now.AddDate(0, 0, -30*month).Add(-within), material: l.material, bin: l.bin, lot: l.number, quantity: 1 + dice.IntN(4),
				})
			}
		}
	}
	slices.SortStableFunc(b.issues, func(a, c issue) int { return a.at.Compare(c.at) })
}

// order gathers one to four picks that follow each other into an order that was shipped with the last of them.
func (p *plan) order(f *facility, b *book) {
	dice := p.dice('o', f.number)
	for i := 0; i < len(b.issues); {
		n := min(1+dice.IntN(4), len(b.issues)-i)
		for k := range n {
			b.issues[i+k].order = len(b.orders)
		}
		last := b.issues[i+n-1].at
		status := "SHIPPED"
		if last.Before(p.Now.AddDate(0, 0, -30)) {
			status = "INVOICED"
		} else if last.Before(p.Now.AddDate(0, 0, -7)) {
			status = "DELIVERED"
		}
		b.orders = append(b.orders, salesOrder{at: b.issues[i].at.AddDate(0, 0, -3), ship: last, status: status, lines: n})
		i += n
	}
}

type line struct {
	order, number, material     int
	ordered, allocated, shipped int
}

// openOrders are those of today: due from yesterday to six days from now, some urgent, none allocated in full.
func (p *plan) openOrders(f *facility, b *book) ([]salesOrder, []line) {
	dice := p.dice('O', f.number)
	var orders []salesOrder
	var lines []line
	for o := range max(12, len(b.orders)/60) {
		status := []string{"RELEASED", "RELEASED", "PICKING", "CONFIRMED"}[dice.IntN(4)]
		orders = append(orders, salesOrder{
			at: p.Now.AddDate(0, 0, -1-dice.IntN(5)), ship: p.Now.AddDate(0, 0, dice.IntN(8)-1), status: status, urgent: dice.IntN(6) == 0,
		})
		for n := range 1 + dice.IntN(3) {
			ordered := 4 + dice.IntN(60)
			lines = append(lines, line{order: len(b.orders) + o, number: n + 1, material: b.lots[dice.IntN(len(b.lots))].material, ordered: ordered, allocated: dice.IntN(ordered)})
		}
	}
	return orders, lines
}

func (p *plan) orderLines(t *tenant, f *facility, b *book, open []line) step {
	lines := make([]line, 0, len(b.issues)+len(open))
	number := 0
	for i, pick := range b.issues {
		if i == 0 || b.issues[i-1].order != pick.order {
			number = 0
		}
		number++
		lines = append(lines, line{pick.order, number, pick.material, pick.quantity, pick.quantity, pick.quantity})
	}
	lines = append(lines, open...)
	return step{
		"sales_order_lines",
		[]string{"tenant_id", "sales_order_line_id", "sales_order_id", "line_number", "material_id", "quantity_ordered", "quantity_allocated", "quantity_shipped", "created_at"},
		len(lines), func(i int) []any {
			l := lines[i]
			at := p.Now.AddDate(0, 0, -1)
			if i < len(b.issues) {
				at = b.orders[l.order].at
			}
			return []any{t.id, p.id('L', f.number, i), p.id('o', f.number, l.order), l.number, t.materials[l.material].id, decimal(float64(l.ordered), 4), decimal(float64(l.allocated), 4), decimal(float64(l.shipped), 4), at}
		},
	}
}

// transactions are a receipt for each lot, an issue for each pick, and now and then somebody counts.
func (p *plan) transactions(t *tenant, f *facility, b *book) step {
	counts := len(b.lots) / 20
	return step{
		"inventory_transactions",
		[]string{"tenant_id", "transaction_id", "facility_id", "transaction_number", "transaction_type", "transaction_date", "material_id", "lot_number", "quantity", "from_location_id", "to_location_id", "sales_order_id", "unit_cost", "performed_by_user_id", "created_at"},
		len(b.lots) + len(b.issues) + counts, func(i int) []any {
			number := fmt.Sprintf("TX-%s-%08d", f.mark, i+1)
			by := t.users[i%len(t.users)]
			row := func(kind string, at time.Time, m int, lot string, quantity int, from, to, order any) []any {
				return []any{t.id, p.id('t', f.number, i), f.id, number, kind, at, t.materials[m].id, lot, decimal(float64(quantity), 4), from, to, order, decimal(t.materials[m].cost, 4), by, at}
			}
			switch {
			case i < len(b.lots):
				l := b.lots[i]
				return row("RECEIPT", l.received, l.material, l.number, l.original, nil, f.bins[l.bin].id, nil)
			case i < len(b.lots)+len(b.issues):
				pick := b.issues[i-len(b.lots)]
				return row("ISSUE", pick.at, pick.material, pick.lot, pick.quantity, f.bins[pick.bin].id, nil, p.id('o', f.number, pick.order))
			}
			l := b.lots[(i-len(b.lots)-len(b.issues))*20]
			return row("CYCLE_COUNT", l.received.Add(8*time.Hour), l.material, l.number, l.quantity, f.bins[l.bin].id, f.bins[l.bin].id, nil)
		},
	}
}

type pickList struct {
	wave     int
	at       time.Time
	status   string
	bins     []int
	material int
}

// waves are one finished wave a day, and those at work now: five lists in the
// congested aisle of the main mill, one or two in some others.
func (p *plan) waves(t *tenant, f *facility, b *book) []step {
	dice := p.dice('w', f.number)
	var lists []pickList
	for day := range days {
		at := p.Now.AddDate(0, 0, -day-1)
		lists = append(lists, pickList{wave: day, at: at, status: "COMPLETED", bins: []int{dice.IntN(len(f.bins)), dice.IntN(len(f.bins))}, material: b.lots[dice.IntN(len(b.lots))].material})
	}
	for aisle, n := range p.busyAisles(f) {
		for k := range n {
			bins := inAisle(f, aisle, dice)
			at := p.Now.Add(-time.Duration(12+3*k) * time.Minute)
			lists = append(lists, pickList{wave: days, at: at, status: "IN_PROGRESS", bins: bins, material: b.lots[dice.IntN(len(b.lots))].material})
		}
	}
	type waveLine struct{ list, bin int }
	var lines []waveLine
	for i, l := range lists {
		for _, bin := range l.bins {
			lines = append(lines, waveLine{i, bin})
		}
	}
	return []step{
		{
			"wave_processing", []string{"tenant_id", "wave_id", "facility_id", "wave_number", "status", "created_at"}, days + 1, func(i int) []any {
				status, at := "COMPLETED", p.Now.AddDate(0, 0, -i-1)
				if i == days {
					status, at = "IN_PROGRESS", p.Now.Add(-time.Hour)
				}
				return []any{t.id, p.id('w', f.number, i), f.id, fmt.Sprintf("W-%s-%05d", f.mark, i+1), status, at}
			},
		},
		{
			"pick_lists", []string{"tenant_id", "pick_list_id", "facility_id", "pick_list_number", "wave_id", "picker_user_id", "assigned_at", "started_at", "completed_at", "status", "created_at"}, len(lists), func(i int) []any {
				l := lists[i]
				var completed any
				if l.status == "COMPLETED" {
					completed = l.at.Add(25 * time.Minute)
				}
				return []any{t.id, p.id('p', f.number, i), f.id, fmt.Sprintf("PL-%s-%05d", f.mark, i+1), p.id('w', f.number, l.wave), t.users[i%len(t.users)], l.at.Add(-5 * time.Minute), l.at, completed, l.status, l.at}
			},
		},
		{
			"wave_lines", []string{"tenant_id", "wave_line_id", "wave_id", "pick_list_id", "material_id", "quantity_required", "quantity_picked", "pick_location_id", "picker_user_id", "status", "created_at"}, len(lines), func(i int) []any {
				l := lists[lines[i].list]
				picked, status := 0, "PICKING"
				if l.status == "COMPLETED" {
					picked, status = 2, "PICKED"
				}
				return []any{t.id, p.id('W', f.number, i), p.id('w', f.number, l.wave), p.id('p', f.number, lines[i].list), t.materials[l.material].id, decimal(2, 4), decimal(float64(picked), 4), f.bins[lines[i].bin].id, t.users[lines[i].list%len(t.users)], status, l.at}
			},
		},
	}
}

// busyAisles yields aisles and how many pick lists are at work in each, in a fixed order.
func (p *plan) busyAisles(f *facility) func(yield func(string, int) bool) {
	return func(yield func(string, int) bool) {
		for _, fault := range Faults {
			if fault.Kind == Congestion && fault.Facility == f.code && !yield(fault.Code, 5) {
				return
			}
		}
		_ = yield("A01", 2) && yield("B01", 1) && yield("B02", 1)
	}
}

// inAisle draws two bins of an aisle.
func inAisle(f *facility, aisle string, dice *rand.Rand) []int {
	var in []int
	for i, b := range f.bins {
		if b.aisle == aisle {
			in = append(in, i)
		}
	}
	return []int{in[dice.IntN(len(in))], in[dice.IntN(len(in))]}
}
