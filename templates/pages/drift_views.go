package pages

import (
	"github.com/agogsaas/gatehouse/templates/components"
	"github.com/agogsaas/gatehouse/templates/layouts"
)

// DriftRow is one difference between the live schema and the files.
type DriftRow struct {
	Sentence   string
	Object     string
	State      components.State
	Facts      []components.Fact
	Repair     string
	SHA256     string
	Accepted   string // by whom and why
	Acceptance string // id; empty where nobody signed
}

// DriftView is the live schema held against the files.
type DriftView struct {
	layouts.Shell
	Sentence   string
	Tone       components.Tone
	CheckedAt  components.Time
	Checked    bool
	Rows       []DriftRow
	CheckHref  string // empty: not offered
	AcceptHref string // empty: not offered
	TakeBack   string
	FreshHref  string
	WhoCan     []string
	Complaints components.Complaints
	Failed     string // hash or id of the form that is shown again
	Reason     string // as it was typed there
	Days       string
}

// id is the field's own on the page; the form that is shown again has the plain one, to which its complaints lead.
func (v DriftView) id(field, form string) string {
	if form == v.Failed {
		return field
	}
	return field + "-" + form[:min(12, len(form))]
}

func (v DriftView) typed(form string) string {
	if form == v.Failed {
		return v.Reason
	}
	return ""
}

func (v DriftView) days(form string) string {
	if form == v.Failed {
		return v.Days
	}
	return ""
}

func (v DriftView) problem(form, field string) string {
	if form == v.Failed {
		return v.Complaints.For(field)
	}
	return ""
}
