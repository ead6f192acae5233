package migration

import "github.com/agogsaas/gatehouse/internal/fault"

// Judge says whether the step may be taken now, as far as files, order and ledger go, and which file it runs.
func (l Ladder) Judge(files *Files, req StepRequest) (File, error) {
	if len(l.Problems) > 0 {
		return File{}, l.Refusal()
	}
	rung, ok := l.Find(req.Version)
	file, hasFile := files.In(req.Direction, req.Version)
	title := req.Version.Title()
	switch {
	case !ok:
		return File{}, fault.New(fault.NotFound, "There is no migration %s.", title)
	case !hasFile:
		return File{}, fault.New(fault.Conflict, "There is no file to take %s back with. Nothing was changed.", title)
	case req.SHA256 != "" && req.SHA256 != file.SHA256:
		return File{}, fault.New(fault.Conflict, "%s is not the file that was shown. Look at it again.", file.Script)
	case req.Direction == Up && rung.InDatabase():
		return File{}, fault.New(fault.Conflict, "%s is applied already.", title)
	case req.Direction == Up && !rung.Next:
		return File{}, fault.New(fault.Conflict, "%s cannot be applied now: %s", title, rung.Blocked)
	case req.Direction == Down && !rung.InDatabase():
		return File{}, fault.New(fault.Conflict, "%s is not in the database.", title)
	case req.Direction == Down && !rung.CanUndo:
		return File{}, fault.New(fault.Conflict, "%s is not the last version, or was not applied by Gatehouse; it cannot be taken back now.", title)
	}
	return file, nil
}

// Refusal is the fault for files and database that disagree.
func (l Ladder) Refusal() error {
	cause := &Disagreement{Problems: l.Problems}
	return fault.New(fault.Conflict, "Files and database disagree, so nothing is changed. %s", cause.Error()).Because(cause)
}
