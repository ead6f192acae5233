package dimension

// State is where the measuring of a material stands.
type State string

// The states. A case that waits for nobody is settled.
const (
	SecondWanted State = "second_wanted" // the first reading is beyond the tolerance: somebody else measures
	ThirdWanted  State = "third_wanted"  // two readings differ from each other: a third person measures
	InReview     State = "review"        // it is beyond the tolerance, and a supervisor decides
	Remeasure    State = "remeasure"     // the supervisor wants it measured again, from the beginning
	Settled      State = "settled"
)

// Waits says whether the case wants another reading.
func (s State) Waits() bool { return s == SecondWanted || s == ThirdWanted || s == Remeasure }

// Step is what follows from the readings so far.
type Step struct {
	State State
	// Measured is what was judged: the reading, or the middle of all of them.
	Measured Box
	// Judged says that there is a judgement. Two readings that differ say nothing before the third one.
	Judged    bool
	Judgement Judgement
}

// Decide says what the readings of a round come to, in the order in which they were taken. One reading within the tolerance
// settles it. One beyond it wants a second person; two that agree are judged by what lies between them; where they do not, the
// third decides by the median (V4).
func (m Master) Decide(readings []Box, approved Master, t Tolerance) Step {
	if len(readings) == 2 && !t.Agree(readings[0], readings[1]) {
		return Step{State: ThirdWanted}
	}
	measured := readings[0]
	if len(readings) > 1 {
		measured = Median(readings...)
	}
	s := Step{State: Settled, Measured: measured, Judged: true, Judgement: m.Judge(measured, approved, t)}
	if s.Judgement.Exceeded() {
		s.State = InReview
		if len(readings) == 1 {
			s.State = SecondWanted
		}
	}
	return s
}
