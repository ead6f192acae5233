package warehouse

import (
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"math"
	"math/big"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgtype"
)

type id [16]byte

type plan struct {
	Options
	scale   scale
	tenants []tenant
}

type tenant struct {
	id         id
	code, name string
	users      []id
	materials  []material
	facilities []facility
	number     uint64
	acceptance float64 // the share of recommendations that people follow
}

type facility struct {
	id               id
	code, name, city string
	mark             string // of its lot numbers
	bins             []bin
	number           uint64
}

type material struct {
	id                   id
	code, name, kind     string
	width, height, depth float64 // inches, as they really are
	pounds, cost         float64
	abc                  string // empty: nobody has classified it
	picks                int    // in 30 days
}

func (m material) cubicFeet() float64 { return m.width * m.height * m.depth / 1728 }

type bin struct {
	id                    id
	code, zone, aisle     string
	kind, abc             string
	length, width, height float64
	pounds                float64
	sequence              int
}

func (b bin) cubicFeet() float64 { return b.length * b.width * b.height / 1728 }

// scale is a size in numbers: materials of each tenant, bins of each facility,
// bins of an aisle, and recommendations in all.
type scale struct {
	materials, bins        [3]int
	aisle, recommendations int
}

var scales = map[Size]scale{
	Small:  {materials: [3]int{900, 500}, bins: [3]int{1000, 500, 400}, aisle: 40, recommendations: 7_000},
	Medium: {materials: [3]int{5000, 2000}, bins: [3]int{10_000, 6_000, 4_000}, aisle: 100, recommendations: 100_000},
	Large:  {materials: [3]int{14_000, 6_000}, bins: [3]int{50_000, 30_000, 20_000}, aisle: 200, recommendations: 1_000_000},
}

// mainMill is the facility that is always there.
const mainMill = "RM-MAIN"

func newPlan(o Options) *plan {
	if o.Size == "" {
		o.Size = Small
	}
	o.Now = o.Now.UTC().Truncate(time.Second)
	p := &plan{Options: o, scale: scales[o.Size]}
	p.tenants = []tenant{
		{id: parse(RivermarkID), code: "rivermark", name: "Rivermark Print", number: 1, acceptance: 0.885, facilities: []facility{
			{code: mainMill, name: "Rivermark Main Mill", city: "Holyoke", mark: "RM1", number: 1},
			{code: "RM-WEST", name: "Rivermark West", city: "Reno", mark: "RM2", number: 2},
		}},
		{id: parse(SaltwayID), code: "saltway", name: "Saltway Packaging", number: 2, acceptance: 0.84, facilities: []facility{
			{code: "SW-DOCK", name: "Saltway Dock", city: "Savannah", mark: "SW1", number: 3},
		}},
	}
	for t := range p.tenants {
		tenant := &p.tenants[t]
		for u := range len(workers) {
			tenant.users = append(tenant.users, p.id('u', tenant.number, u))
		}
		tenant.materials = p.materials(tenant, p.scale.materials[t])
		for f := range tenant.facilities {
			facility := &tenant.facilities[f]
			facility.id = p.id('f', facility.number, 0)
			facility.bins = p.bins(facility, p.scale.bins[facility.number-1])
		}
	}
	return p
}

// workers are the people whose names stand on picks and decisions.
var workers = []string{"Ines Calder", "Tom Okafor", "Rosa Lindqvist", "Jakub Mares", "Dee Whitfield", "Sam Petrov"}

// family is a kind of material of the print trade: its sizes in inches, its
// weight, and how much both vary.
type family struct {
	prefix, kind, name   string
	width, height, depth float64
	pounds, cost, spread float64
}

// families come in turn, by the last two digits of a material's number modulo twenty.
var families = [20]family{
	0: paperRoll, 1: paperRoll, 2: paperRoll, 3: paperRoll, 4: paperRoll, 5: paperRoll, 6: paperRoll, 7: paperRoll,
	8: sheets, 9: sheets, 10: sheets, 11: sheets, 12: inkPail, 13: inkPail, 14: inkPail,
	15: {"CO", "COATING", "Aqueous coating, drum", 24, 24, 36, 430, 610, 0.1},
	16: {"AD", "ADHESIVE", "Hot-melt adhesive, carton", 16, 12, 14, 44, 96, 0.2},
	17: cartons, 18: cartons,
	19: {"FG", "FINISHED_GOOD", "Printed matter, case", 18, 12, 10, 31, 48, 0.3},
}

var (
	paperRoll = family{"PR", "SUBSTRATE", "Paper roll", 30, 40, 40, 860, 540, 0.35}
	sheets    = family{"SH", "SUBSTRATE", "Sheeted stock, skid carton", 25, 19, 12, 118, 74, 0.25}
	inkPail   = family{"IN", "INK", "Process ink, pail", 12, 12, 14, 47, 132, 0.1}
	cartons   = family{"PK", "PACKAGING", "Folding cartons, bundle", 20, 16, 8, 22, 19, 0.3}
)

func (p *plan) materials(t *tenant, n int) []material {
	dice := p.dice('m', t.number)
	all := make([]material, n)
	for i := range all {
		f := families[i%len(families)]
		vary := func(v float64) float64 { return v * (1 + f.spread*(2*dice.Float64()-1)) }
		m := material{
			id: p.id('m', t.number, i), code: fmt.Sprintf("%s-%05d", f.prefix, i), name: fmt.Sprintf("%s, grade %d", f.name, 1+dice.IntN(9)),
			kind: f.kind, width: quarter(vary(f.width)), height: quarter(f.height), depth: quarter(vary(f.depth)), cost: vary(f.cost),
		}
		m.pounds = f.pounds * m.cubicFeet() / (f.width * f.height * f.depth / 1728)
		switch class := dice.Float64(); {
		case class < 0.20:
			m.abc, m.picks = "A", 3+dice.IntN(3)
		case class < 0.50:
			m.abc, m.picks = "B", 1
		case class < 0.97:
			m.abc = "C"
			if dice.IntN(10) == 0 {
				m.picks = 1
			}
		}
		if planted(VelocitySpike, t.code, m.code) || planted(DeadStock, t.code, m.code) {
			m.abc, m.picks = "A", 8
		}
		all[i] = m
	}
	return all
}

// bins lays a facility out: pick faces in the A aisles, reserve in B, bulk in
// C, and the floor areas. A code is zone-aisle-row-bin.
func (p *plan) bins(f *facility, n int) []bin {
	var all []bin
	area := func(zone, aisle, kind string, share int, length, width, height, pounds float64, abc string) {
		for i := range n * share / 100 {
			inAisle := i % p.scale.aisle
			b := bin{
				zone: zone, aisle: fmt.Sprintf("%s%02d", aisle, 1+i/p.scale.aisle), kind: kind, length: length, width: width,
				height: height, pounds: pounds, abc: abc, sequence: 1 + len(all),
			}
			b.id, b.code = p.id('b', f.number, len(all)), fmt.Sprintf("%s-%s-%02d-%02d", zone, b.aisle, 1+inAisle/4, 1+inAisle%4)
			if kind == "RESERVE" {
				b.abc = []string{"A", "B", "B", "C"}[i%4]
			}
			all = append(all, b)
		}
	}
	area("PF", "A", "PICK_FACE", 25, 48, 40, 48, 2400, "A")
	area("RES", "B", "RESERVE", 55, 48, 48, 96, 4800, "")
	area("BLK", "C", "RESERVE", 17, 96, 48, 108, 9600, "")
	for i, kind := range []string{"RECEIVING", "STAGING", "QUARANTINE", "SHIPPING", "PACKING"} {
		all = append(all, bin{
			id: p.id('b', f.number, n+i), code: kind[:3] + "-D01-01-0" + fmt.Sprint(1+i), zone: kind[:3], aisle: "D01", kind: kind,
			length: 240, width: 240, height: 96, pounds: 80_000, sequence: 1 + len(all),
		})
	}
	return all
}

// id makes an id that looks like any other of version 7 and is the same each time.
func (p *plan) id(kind byte, owner uint64, n int) id {
	high := mix(p.Seed ^ uint64(kind)<<48 ^ owner<<40 ^ uint64(n))
	var u id
	binary.BigEndian.PutUint64(u[:8], uint64(p.Now.AddDate(0, 0, -days).UnixMilli())<<16|0x7000|high>>52)
	binary.BigEndian.PutUint64(u[8:], 1<<63|mix(high)>>2)
	return u
}

// mix is the finisher of splitmix64: every input has another output.
func mix(x uint64) uint64 {
	x += 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

// dice belong to one subject of one owner, so that more of one thing does not change another.
func (p *plan) dice(subject byte, owner uint64) *rand.Rand {
	return rand.New(rand.NewPCG(p.Seed, uint64(subject)<<8|owner))
}

func parse(s string) id {
	var u id
	if _, err := hex.Decode(u[:], []byte(strings.ReplaceAll(s, "-", ""))); err != nil {
		panic(err) // only the two constants above come here
	}
	return u
}

func quarter(v float64) float64 { return math.Max(0.25, math.Round(v*4)/4) }

// decimal rounds to so many places, exactly.
func decimal(v float64, places int32) pgtype.Numeric {
	return pgtype.Numeric{Int: big.NewInt(int64(math.Round(v * math.Pow10(int(places))))), Exp: -places, Valid: true}
}

// orNull keeps an empty text out of the database.
func orNull(s string) any {
	if s == "" {
		return nil
	}
	return s
}
