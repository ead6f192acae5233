package warehouse

// Kind says what is wrong with a planted thing.
type Kind string

// The kinds of fault.
const (
	WrongDimensions   Kind = "wrong dimensions"   // a material whose cubic feet are a tenth of width x height x thickness
	MissingDimensions Kind = "missing dimensions" // a material nobody has measured: its volume is unknown
	Overfilled        Kind = "overfilled"         // a bin that holds more than its volume
	VelocitySpike     Kind = "velocity spike"     // a material picked six times as often as before
	DeadStock         Kind = "dead stock"         // a material that was picked often and is not any more
	DriftingAisle     Kind = "drifting aisle"     // an aisle whose recommendations are refused more and more often
	Congestion        Kind = "congestion"         // an aisle with five pick lists at work at once
)

// Fault is one thing that is wrong on purpose.
type Fault struct {
	Kind     Kind
	Tenant   string // tenant code
	Facility string // facility code; a material belongs to the tenant, and this is where it is stocked
	Code     string // of the material, the location or the aisle
}

// Faults lists everything planted, whatever the size and the seed.
var Faults = []Fault{
	{WrongDimensions, "rivermark", "RM-MAIN", "PR-00001"},
	{WrongDimensions, "rivermark", "RM-MAIN", "SH-00008"},
	{WrongDimensions, "rivermark", "RM-MAIN", "IN-00013"},
	{WrongDimensions, "saltway", "SW-DOCK", "PK-00017"},
	{MissingDimensions, "rivermark", "RM-MAIN", "PR-00021"},
	{MissingDimensions, "rivermark", "RM-MAIN", "IN-00032"},
	{MissingDimensions, "rivermark", "RM-MAIN", "PK-00037"},
	{MissingDimensions, "saltway", "SW-DOCK", "SH-00009"},
	{Overfilled, "rivermark", "RM-MAIN", "RES-B02-05-01"},
	{Overfilled, "rivermark", "RM-MAIN", "RES-B03-02-04"},
	{Overfilled, "rivermark", "RM-MAIN", "PF-A01-01-02"},
	{Overfilled, "rivermark", "RM-MAIN", "BLK-C01-03-03"},
	{Overfilled, "saltway", "SW-DOCK", "RES-B01-02-01"},
	{VelocitySpike, "rivermark", "RM-MAIN", "PR-00040"},
	{DeadStock, "rivermark", "RM-MAIN", "IN-00052"},
	{DriftingAisle, "rivermark", "RM-MAIN", "B07"},
	{Congestion, "rivermark", "RM-MAIN", "A03"},
}

// planted answers whether the thing with that code, of that tenant or in that facility, is wrong in this way.
func planted(kind Kind, place, code string) bool {
	for _, f := range Faults {
		if f.Kind == kind && (f.Tenant == place || f.Facility == place) && f.Code == code {
			return true
		}
	}
	return false
}

// stockedFirst lists the codes of the planted materials that must be in stock
// in a facility for anybody to find them.
func stockedFirst(tenant, facility string) []string {
	var codes []string
	for _, f := range Faults {
		switch f.Kind {
		case WrongDimensions, MissingDimensions, VelocitySpike, DeadStock:
			if f.Tenant == tenant && f.Facility == facility {
				codes = append(codes, f.Code)
			}
		case Overfilled, DriftingAisle, Congestion:
		}
	}
	return codes
}
