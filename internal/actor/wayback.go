package actor

import (
	"strings"
	"time"

	"github.com/google/uuid"
)

// WayBack is a way back in that two sealed halves have opened, while the identity provider lets nobody in.
type WayBack struct {
	Code                      uuid.UUID
	FirstHolder, SecondHolder string
	Reason                    string
	// Session is how long it lasts, whatever happens.
	Session time.Duration
	// Tenant, TenantCode, TenantName and Operator are of the company for which the code was made.
	Tenant                 uuid.UUID
	TenantCode, TenantName string
	Operator               bool
}

// wayBackRights are for finding out what is wrong, and for nothing else: whoever came in this way is no proven person,
// so nothing that is a person's word, and nothing that changes anything, is among them.
var wayBackRights = []Right{ReleaseRead, MigrationRead, HealthRead, AuditRead, IdentityExplain, DimensionRead}

// wayBackSubject begins the subject of every such actor.
const wayBackSubject = "way-back:"

// Actor is who then acts: nobody of the people table, with rights of its own and no role.
func (b WayBack) Actor(ip string) Actor {
	rights := make([]Right, len(wayBackRights))
	copy(rights, wayBackRights)
	return Actor{
		Tenant: b.Tenant, TenantCode: b.TenantCode, TenantName: b.TenantName, Operator: b.Operator,
		Issuer: "gatehouse", Subject: wayBackSubject + b.Code.String(), Name: "Way back in: " + b.FirstHolder + " and " + b.SecondHolder,
		Rights: rights, Origin: Web, IP: ip,
	}
}

// CameBack says whether the actor came in by two sealed halves.
func (a Actor) CameBack() bool {
	return a.Issuer == "gatehouse" && strings.HasPrefix(a.Subject, wayBackSubject)
}

// WayBackHalf is how many letters and digits one sealed half has, hyphens not counted.
const WayBackHalf = 20
