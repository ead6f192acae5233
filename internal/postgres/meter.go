package postgres

import (
	"context"
	"sync/atomic"

	"github.com/jackc/pgx/v5"
)

// Meter counts what a request asks of the database: statements, and the round trips they took.
type Meter struct{ statements, trips atomic.Int64 }

// Statements is how many statements were sent.
func (m *Meter) Statements() int64 { return m.statements.Load() }

// Trips is how often the request waited for the database.
func (m *Meter) Trips() int64 { return m.trips.Load() }

type meterKey struct{}

// WithMeter gives a context whose statements are counted.
func WithMeter(ctx context.Context) (context.Context, *Meter) {
	m := &Meter{}
	return context.WithValue(ctx, meterKey{}, m), m
}

// meterTracer adds to the context's Meter. Preparing a statement for the first time on a connection is not counted:
// it happens once in a connection's life.
type meterTracer struct{}

func (meterTracer) TraceQueryStart(ctx context.Context, _ *pgx.Conn, _ pgx.TraceQueryStartData) context.Context {
	if m, ok := ctx.Value(meterKey{}).(*Meter); ok {
		m.statements.Add(1)
		m.trips.Add(1)
	}
	return ctx
}

func (meterTracer) TraceQueryEnd(context.Context, *pgx.Conn, pgx.TraceQueryEndData) {}

func (meterTracer) TraceBatchStart(ctx context.Context, _ *pgx.Conn, data pgx.TraceBatchStartData) context.Context {
	if m, ok := ctx.Value(meterKey{}).(*Meter); ok {
		m.statements.Add(int64(data.Batch.Len()))
		m.trips.Add(1)
	}
	return ctx
}

func (meterTracer) TraceBatchQuery(context.Context, *pgx.Conn, pgx.TraceBatchQueryData) {}

func (meterTracer) TraceBatchEnd(context.Context, *pgx.Conn, pgx.TraceBatchEndData) {}
