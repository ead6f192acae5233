package pages

import (
	"github.com/agogsaas/gatehouse/templates/components"
	"github.com/agogsaas/gatehouse/templates/layouts"
)

// QualityRow are the figures of one facility, formatted; those that were not computed are empty, never "0".
type QualityRow struct {
	ID, Name                      string
	Share                         string // "81.5 %"
	ShareOf                       string // "412 of 520 materials"
	State                         components.State
	Due, OutOfTolerance           string
	Volume, Weight                string // mean variances
	Failures, Unresolved, Pending string
	Unresolved24h                 string
	Remediations                  string
	At                            components.Time
}

// QualityView is how good the master data of the warehouse is, worst facility first.
type QualityView struct {
	layouts.Shell
	// Missing says that the figures come with a migration, Way where to.
	Missing  string
	Way      components.Link
	Overall  components.State
	Sentence string
	At       components.Time
	Facility string // the one that the charts are of; empty for all
	Filters  []components.Filter
	Rows     []QualityRow
	Variance components.Histogram
	Course   components.Course
	CSVHref  string
	LiveHref string
}
