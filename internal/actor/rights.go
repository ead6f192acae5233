package actor

import (
	"slices"
	"strings"
)

// Role is what the identity provider says a person is in the company.
type Role string

// The roles that Gatehouse knows; the strings are the claim's.
const (
	WarehouseStaff      Role = "warehouse_staff"
	WarehouseSupervisor Role = "warehouse_supervisor"
	QAEngineer          Role = "qa_engineer"
	QALead              Role = "qa_lead"
	StatisticalExpert   Role = "statistical_expert"
	BackendLead         Role = "backend_lead"
	FrontendLead        Role = "frontend_lead"
	DevOpsEngineer      Role = "devops_engineer"
	DevOpsLead          Role = "devops_lead"
	OnCallEngineer      Role = "on_call_engineer"
	ProductOwner        Role = "product_owner"
	Viewer              Role = "viewer"
	Auditor             Role = "auditor"
	Admin               Role = "admin"
)

// Right is one thing that a person may do; routes and services name it.
type Right string

// The rights.
const (
	ReleaseRead   Right = "release:read"
	ReleaseStart  Right = "release:start"
	ReleaseManage Right = "release:manage" // move T-0, abort
	// ReleaseRollback starts and ends a rollback; RollbackAgree is the second person's word to one that loses data, and
	// RollbackReview the look at it afterwards.
	ReleaseRollback Right = "release:rollback"
	RollbackAgree   Right = "rollback:agree"
	RollbackReview  Right = "rollback:review"
	RunbookImport   Right = "runbook:import"
	ItemWork        Right = "item:work"
	GateSign        Right = "gate:sign"
	MigrationRead   Right = "migration:read"
	MigrationApply  Right = "migration:apply"
	MigrationDown   Right = "migration:down"
	HealthRead      Right = "health:read"
	HealthRun       Right = "health:run"
	AuditRead       Right = "audit:read"
	// AuditAcknowledge is to say that an older state of the database was restored, and that it goes on from here.
	AuditAcknowledge Right = "audit:acknowledge"
	GraphQLQuery     Right = "graphql:query"
	// DimensionMeasure is to measure materials, and DimensionReview to decide what holds where a measurement is beyond the tolerance.
	DimensionRead    Right = "dimension:read"
	DimensionMeasure Right = "dimension:measure"
	DimensionReview  Right = "dimension:review"
	// CapacityRead is to see capacity failures; CapacityRecord to tell of one, CapacityWork to have one in hand, fix it and
	// verify what another person fixed, CapacityAccept to put up with one until a day and to reopen one that was settled.
	CapacityRead   Right = "capacity:read"
	CapacityRecord Right = "capacity:record"
	CapacityWork   Right = "capacity:work"
	CapacityAccept Right = "capacity:accept"
	// CrossDockRead is to see what stands at the dock; CrossDockCancel to say that it is no longer for its order, CrossDockStore to
	// store it, and CrossDockManage to choose its place and to say how long anything may stand there.
	CrossDockRead   Right = "crossdock:read"
	CrossDockCancel Right = "crossdock:cancel"
	CrossDockStore  Right = "crossdock:store"
	CrossDockManage Right = "crossdock:manage"
	// IdentityExplain is to see what Gatehouse makes of the claims of a sign-in, without anybody signing in.
	IdentityExplain Right = "identity:explain"
)

var reads = []Right{ReleaseRead, MigrationRead, HealthRead, GraphQLQuery, DimensionRead, CapacityRead, CrossDockRead}

func and(rights ...Right) []Right { return append(slices.Clone(reads), rights...) }

// rightsOf is the access matrix. Who signs holds no right to change what is signed without being seen to:
// the gate's own rules (four eyes, one slot a person) stand in package signoff.
var rightsOf = map[Role][]Right{
	WarehouseStaff:      and(DimensionMeasure, CapacityRecord, CrossDockStore),
	WarehouseSupervisor: and(DimensionMeasure, DimensionReview, CapacityRecord, CapacityWork, CapacityAccept, CrossDockCancel, CrossDockStore, CrossDockManage),
	QAEngineer:          and(ItemWork, HealthRun, DimensionMeasure, DimensionReview, CapacityWork, CrossDockCancel),
	QALead:              and(ItemWork, HealthRun, GateSign, AuditRead, RollbackReview, DimensionMeasure, DimensionReview, CapacityWork, CapacityAccept, CrossDockCancel),
	StatisticalExpert:   and(ItemWork, HealthRun, GateSign),
	BackendLead:         and(ItemWork, HealthRun, GateSign, RollbackAgree, RollbackReview),
	FrontendLead:        and(ItemWork, HealthRun),
	DevOpsEngineer:      and(ItemWork, HealthRun, ReleaseStart, ReleaseManage, MigrationApply, MigrationDown),
	DevOpsLead:          and(ItemWork, HealthRun, ReleaseStart, ReleaseManage, MigrationApply, MigrationDown, GateSign, AuditRead, RunbookImport, ReleaseRollback, RollbackAgree, RollbackReview),
	OnCallEngineer:      and(ItemWork, HealthRun, ReleaseManage, ReleaseRollback, RollbackAgree, RollbackReview),
	ProductOwner:        and(ItemWork, GateSign),
	Viewer:              and(),
	Auditor:             and(AuditRead, AuditAcknowledge),
	Admin:               and(AuditRead, AuditAcknowledge, IdentityExplain),
}

// forMachines are the rights that a credential may carry. What is a person's word, a signature above all, is not among them.
var forMachines = []Right{ReleaseRead, MigrationRead, MigrationApply, MigrationDown, HealthRead, HealthRun, GraphQLQuery, AuditRead, CapacityRecord, CrossDockCancel}

// ForMachines says whether a machine credential may carry the right.
func (r Right) ForMachines() bool { return slices.Contains(forMachines, r) }

// ParseRole reads an entry of the role claim; false where Gatehouse does not know it.
func ParseRole(s string) (Role, bool) {
	_, ok := rightsOf[Role(s)]
	return Role(s), ok
}

// ParseRight reads the name of a right, as machine credentials carry it.
func ParseRight(s string) (Right, bool) {
	for _, rights := range rightsOf {
		if slices.Contains(rights, Right(s)) {
			return Right(s), true
		}
	}
	return "", false
}

// RolesWith lists who holds a right, in alphabetical order, for the sentence that says whom to ask.
func RolesWith(right Right) []Role {
	var roles []Role
	for role, rights := range rightsOf {
		if slices.Contains(rights, right) {
			roles = append(roles, role)
		}
	}
	slices.Sort(roles)
	return roles
}

var titles = map[Role]string{
	QAEngineer: "QA engineer", QALead: "QA lead", DevOpsEngineer: "DevOps engineer", DevOpsLead: "DevOps lead",
	OnCallEngineer: "On-call engineer", Admin: "Administrator",
}

// Title is the role as people say it: "QA lead", "Backend lead".
func (r Role) Title() string {
	if title, ok := titles[r]; ok {
		return title
	}
	words := strings.ReplaceAll(string(r), "_", " ")
	if words == "" {
		return ""
	}
	return strings.ToUpper(words[:1]) + words[1:]
}
