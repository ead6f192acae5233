package health

import "time"

// ReconcileJob is the scheduled job that compares every bin with its stock and puts the cache right.
const ReconcileJob = "reconcile_utilization"

// Reconciliation is how one turn of that job ended.
type Reconciliation struct {
	// Outcome is SUCCESS, FAILURE, BUSY (another turn is under way) or NOT_DEPLOYED (V0.0.18 is not applied).
	Outcome           string
	Checked, PutRight int
	Took              time.Duration
	Error             string
}
