package postgres

import (
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/agogsaas/gatehouse/internal/actor"
	"github.com/agogsaas/gatehouse/internal/signoff"
)

type gateHeadRow struct {
	Gate, Name, Judges                               string
	AfterMigrations, Last                            bool
	RunID                                            uuid.UUID
	Code, Title, Environment, TimeZone, State        string
	StartedByIssuer, StartedBySubject, StartedByName string
	StartedAt                                        time.Time
	Content                                          string
	SHA256                                           string `db:"sha256"`
	At                                               time.Time
	Seq                                              int64
	ExpiresAt                                        *time.Time
	Overdue                                          bool
	LeastItems, LeastFiles, LeastChecks              int
	RequiredChecks                                   []string
	AuthorsBarred                                    bool
}

func (r gateHeadRow) gate() signoff.Gate {
	g := signoff.Gate{
		Release: signoff.Release{
			ID: r.RunID, Code: r.Code, Title: r.Title, Environment: r.Environment, TimeZone: r.TimeZone, Active: r.State == "active",
			StarterIssuer: r.StartedByIssuer, StarterSubject: r.StartedBySubject, StarterName: r.StartedByName, StartedAt: r.StartedAt.UTC(),
		},
		ID: signoff.GateID(r.Gate), Name: r.Name, Judges: r.Judges, Last: r.Last, AfterMigrations: r.AfterMigrations,
		Content: r.Content, SHA256: r.SHA256, At: r.At.UTC(), Seq: r.Seq, Overdue: r.Overdue,
		Rules: signoff.Rules{Items: r.LeastItems, Files: r.LeastFiles, Checks: r.LeastChecks, RequiredChecks: r.RequiredChecks, AuthorsBarred: r.AuthorsBarred},
	}
	if r.ExpiresAt != nil {
		g.ExpiresAt = r.ExpiresAt.UTC()
	}
	return g
}

type gateStopRow struct {
	Gate, Kind, Slot, Role, Reason, Content string
	Attempt                                 int
	ContentSHA256                           string `db:"content_sha256"`
	Intact                                  bool
	Issuer, Subject, Name                   string
	StoppedAt                               time.Time
	IdempotencyKey                          uuid.UUID
}

func (r gateStopRow) stop() signoff.Stop {
	return signoff.Stop{
		Attempt: r.Attempt, Kind: signoff.StopKind(r.Kind), Slot: signoff.SlotID(r.Slot), Role: actor.Role(r.Role), Reason: r.Reason, Content: r.Content,
		ContentSHA256: r.ContentSHA256, Intact: r.Intact, Issuer: r.Issuer, Subject: r.Subject, Name: r.Name, At: r.StoppedAt.UTC(), Key: r.IdempotencyKey,
	}
}

type gateAttemptRow struct {
	Gate, Note, Name string
	Attempt          int
	OpenedAt         time.Time
	IdempotencyKey   uuid.UUID
}

func (r gateAttemptRow) attempt() signoff.Attempt {
	return signoff.Attempt{Number: r.Attempt, Note: r.Note, By: r.Name, At: r.OpenedAt.UTC(), Key: r.IdempotencyKey}
}

type gateSlotRow struct {
	Gate, Slot, Role               string
	Required, SignsLast, AsksScore bool
	Meanings                       []string
	Statement                      string
	DeputiesFrom                   *time.Time
}

func (r gateSlotRow) slot() signoff.Slot {
	s := signoff.Slot{
		ID: signoff.SlotID(r.Slot), Role: actor.Role(r.Role), Required: r.Required, SignsLast: r.SignsLast, AsksScore: r.AsksScore, Statement: r.Statement,
		DeputiesFrom: timeOrZero(r.DeputiesFrom),
	}
	for _, m := range r.Meanings {
		s.Meanings = append(s.Meanings, signoff.Meaning(m))
	}
	return s
}

type signatureRow struct {
	SignatureID, RunID                   uuid.UUID
	Gate, Slot, Role, Meaning, Statement string
	Score                                *string
	Note, Content                        string
	ContentSHA256                        string `db:"content_sha256"`
	Intact                               bool
	Issuer, Subject, Name                string
	AuthTime                             time.Time
	ACR                                  string `db:"acr"`
	SignedAt                             time.Time
	WithdrawnReason, WithdrawnBy         *string
	WithdrawnAt                          *time.Time
	DeputyID                             *uuid.UUID
	DeputyNamedBy                        *string
	DeputyNamedAt                        *time.Time
	DeputyFrom, DeputyUntil              *string
	DeputyReason                         *string
}

func (r signatureRow) signature() (signoff.Signature, error) {
	s := signoff.Signature{
		ID: r.SignatureID, Run: r.RunID, Gate: signoff.GateID(r.Gate), Slot: signoff.SlotID(r.Slot), Role: actor.Role(r.Role),
		Meaning: signoff.Meaning(r.Meaning), Statement: r.Statement, Note: r.Note, Content: r.Content, ContentSHA256: r.ContentSHA256,
		Intact: r.Intact, Issuer: r.Issuer, Subject: r.Subject, Name: r.Name, AuthTime: r.AuthTime.UTC(), ACR: r.ACR, SignedAt: r.SignedAt.UTC(),
	}
	if r.Score != nil {
		score, err := signoff.ParseScore(*r.Score)
		if err != nil {
			return signoff.Signature{}, fmt.Errorf("reading the score of signature %s: %w", r.SignatureID, err)
		}
		s.Score = &score
	}
	if r.WithdrawnAt != nil && r.WithdrawnReason != nil && r.WithdrawnBy != nil {
		s.Withdrawn = &signoff.Withdrawal{Reason: *r.WithdrawnReason, By: *r.WithdrawnBy, At: r.WithdrawnAt.UTC()}
	}
	if r.DeputyID != nil {
		s.Deputy = &signoff.AsDeputy{
			ID: *r.DeputyID, NamedBy: deref(r.DeputyNamedBy), NamedAt: timeOrZero(r.DeputyNamedAt), From: deref(r.DeputyFrom), Until: deref(r.DeputyUntil), Reason: deref(r.DeputyReason),
		}
	}
	return s, nil
}

type gateBlockerRow struct {
	Gate, Item, What string
	Place            int
}

type gateApplierRow struct{ ActorIssuer, ActorSubject, ActorName string }

type gateAuthorRow struct{ Gate, Issuer, Subject, Name, Item string }

// gateRows are the rows of one gate of a run or of all, read by one batch.
type gateRows struct {
	heads      []gateHeadRow
	slots      []gateSlotRow
	signatures []signatureRow
	blockers   []gateBlockerRow
	appliers   []gateApplierRow
	authors    []gateAuthorRow
	deputies   []deputyRow
	stops      []gateStopRow
	attempts   []gateAttemptRow
	glass      []glassRow
	given      []signoff.Signature
}

// queue asks for the gates; a nil gate means all. statement chooses whether signatures come with their contents.
func (g *gateRows) queue(b *pgx.Batch, run uuid.UUID, gate *string, statement string) {
	one := pgx.StrictNamedArgs{"run": run, "gate": gate}
	all := pgx.StrictNamedArgs{"run": run}
	marks := one
	if statement == "GateMarks" {
		marks = all
	}
	b.Queue(sql("GateHeads"), one).Query(collect(&g.heads))
	b.Queue(sql("GateSlots"), one).Query(collect(&g.slots))
	b.Queue(sql(statement), marks).Query(func(rows pgx.Rows) error {
		if err := collect(&g.signatures)(rows); err != nil {
			return err
		}
		for _, row := range g.signatures {
			s, err := row.signature()
			if err != nil {
				return err
			}
			g.given = append(g.given, s)
		}
		return nil
	})
	b.Queue(sql("GateBlockers"), one).Query(collect(&g.blockers))
	b.Queue(sql("GateAppliers"), all).Query(collect(&g.appliers))
	b.Queue(sql("GateAuthors"), one).Query(collect(&g.authors))
	b.Queue(sql("GateDeputies"), all).Query(collect(&g.deputies))
	b.Queue(sql("GateStops"), one).Query(collect(&g.stops))
	b.Queue(sql("GateAttempts"), one).Query(collect(&g.attempts))
	b.Queue(sql("GlassOfRun"), all).Query(collect(&g.glass))
}

func (g *gateRows) one() (signoff.Gate, error) {
	gates := g.gates()
	if len(gates) != 1 {
		return signoff.Gate{}, noGate()
	}
	return gates[0], nil
}

func (g *gateRows) gates() []signoff.Gate {
	gates := make([]signoff.Gate, 0, len(g.heads))
	for _, head := range g.heads {
		gate := head.gate()
		for _, row := range g.slots {
			if row.Gate == head.Gate {
				gate.Slots = append(gate.Slots, row.slot())
			}
		}
		for _, row := range g.glass {
			gate.Glass = append(gate.Glass, row.glass())
		}
		for _, s := range g.given {
			if s.Gate == gate.ID {
				s.Glass = glassOf(gate.Glass, s.ID)
				gate.Signatures = append(gate.Signatures, s)
			}
		}
		for _, row := range g.blockers {
			if row.Gate == head.Gate {
				gate.Blockers = append(gate.Blockers, signoff.Blocker{Item: row.Item, Text: row.What})
			}
		}
		for _, row := range g.stops {
			if row.Gate == head.Gate {
				gate.Stops = append(gate.Stops, row.stop())
			}
		}
		for _, row := range g.attempts {
			if row.Gate == head.Gate {
				gate.Attempts = append(gate.Attempts, row.attempt())
			}
		}
		gate.Deputies = deputiesOf(g.deputies)
		for _, row := range g.authors {
			if row.Gate == head.Gate {
				gate.Authors = append(gate.Authors, signoff.Author{Person: signoff.Person{Issuer: row.Issuer, Subject: row.Subject, Name: row.Name}, Item: row.Item})
			}
		}
		for _, row := range g.appliers {
			gate.Appliers = append(gate.Appliers, signoff.Person{Issuer: row.ActorIssuer, Subject: row.ActorSubject, Name: row.ActorName})
		}
		gates = append(gates, gate)
	}
	return gates
}
