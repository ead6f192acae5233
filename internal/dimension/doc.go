// Package dimension decides what a measurement of a material means: whether it
// is what the warehouse has recorded, whether the record follows it by itself,
// or whether people have to look at it again.
//
// The rules are the requirement's with its corrections. A variance of more than
// ten percent, strictly and not rounded, of the volume or of the weight is no
// longer taken over; neither are small steps that add up to as much since
// somebody approved the record. A material without a record has nothing to
// differ from, so its first measurement becomes it. Only what was measured is
// written. The volume is what was measured as the volume, and otherwise height
// × width × thickness, here as everywhere.
//
// A reading is blind: whoever measures does not see what is recorded. Beyond the
// tolerance a second person measures, where two differ a third one, and the
// median decides. What is beyond it then goes to a supervisor who has not
// measured, sees what would change, and takes the measurement over, keeps the
// record or has it measured again.
//
// The invariant it protects: no number that anybody compares with a threshold
// was rounded before. Amounts are kept in the unit in which they were entered,
// and compared in millimetres and grams, in which all the units are exact.
//
// It refuses to know what a bin is, and how a bin's fill is kept: the database
// recomputes the bins that hold a material in the transaction in which its
// record changes.
//
// Start reading at Judge in judge.go and Decide in round.go, both pure; the
// stories are in service.go and review.go.
package dimension
