package migrator

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"strconv"
	"time"

	"github.com/golang-migrate/migrate/v4/database"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/agogsaas/gatehouse/internal/clock"
	"github.com/agogsaas/gatehouse/internal/fault"
	"github.com/agogsaas/gatehouse/internal/faultpoint"
	"github.com/agogsaas/gatehouse/internal/migration"
)

// driver is golang-migrate's database driver for one step on one locked session.
type driver struct {
	ctx     context.Context //nolint:containedctx // golang-migrate's interface has no context; a driver lives for one step
	s       *session
	set     Set
	file    migration.File
	req     migration.StepRequest
	version int // what Version answers
	target  int // what the engine is about to set
	tries   int // how often a file is begun whose lock was not had
	done    bool
	began   time.Time
	waits   []string // for locks that were not had, as the ledger keeps them
	waited  *waitLog
	started time.Time // by this program's clock
}

func (d *driver) Open(string) (database.Driver, error) { return nil, errNotByURL }

func (d *driver) Close() error { return nil }

func (d *driver) Drop() error { return errors.New("migrator: dropping everything is not offered") }

// Lock is held by the session around comparing and stepping.
func (d *driver) Lock() error { return nil }

func (d *driver) Unlock() error { return nil }

func (d *driver) Version() (version int, dirty bool, err error) { return d.version, false, nil }

// SetVersion only remembers: Run writes the version in the migration's own transaction. Clean without Run would be an
// empty file or a force, and neither is offered.
func (d *driver) SetVersion(version int, dirty bool) error {
	if dirty {
		d.target = version
		return nil
	}
	if !d.done || version != d.target {
		return fmt.Errorf("migrator: version %d was to be set without running a file", version)
	}
	return nil
}

// Run is the step.
func (d *driver) Run(body io.Reader) error {
	text, err := io.ReadAll(body)
	if err != nil {
		return fmt.Errorf("reading %s: %w", d.file.Script, err)
	}
	if d.file.NoTransaction {
		err = d.runBare(string(text))
	} else {
		err = d.runWhole(string(text))
	}
	if err == nil {
		d.done = true
	}
	return err
}

// runWhole runs a file in one transaction with its version and its ledger row. Where a lock was not had in time, the whole
// transaction is given back and begun again after a pause: nobody may queue behind it for longer than one lock timeout.
func (d *driver) runWhole(sql string) error {
	d.req.Say("Running %s in one transaction; a lock is waited for at most %s, %d times; a statement may take %s.",
		d.file.Script, clock.Duration(d.file.Card.LockTimeout), d.tries, clock.Duration(d.file.Card.StatementTimeout))
	for try := 1; ; try++ {
		finished, err := d.try(sql)
		switch {
		case err == nil:
			return faultpoint.Hit("migrator.after_commit")
		case !lockNotHad(err):
			return d.failed(err, finished, sql)
		}
		d.lockWaited(try)
		if try == d.tries {
			return d.failed(err, finished, sql)
		}
		if err := d.standBack(try); err != nil {
			return d.failed(err, finished, sql)
		}
	}
}

// try takes the step up to and including the commit, and says how many of the file's statements finished.
func (d *driver) try(sql string) (finished int, err error) {
	if err := d.begin(true); err != nil {
		return 0, err
	}
	if err := d.guard(); err != nil {
		return 0, err
	}
	finished, err = exec(d.ctx, d.s.conn, sql)
	if err != nil {
		return finished, err
	}
	if err := faultpoint.Hit("migrator.after_effect"); err != nil {
		return finished, err
	}
	return finished, d.commit()
}

// lockNotAvailable is the SQLSTATE of a statement that waited for a lock as long as it may.
const lockNotAvailable = "55P03"

func lockNotHad(err error) bool {
	var pg *pgconn.PgError
	return errors.As(err, &pg) && pg.Code == lockNotAvailable
}

// lockWaited says it to who watches, and keeps it for the ledger in place of what the server said in the try that is void.
func (d *driver) lockWaited(try int) {
	d.waited.notHad(d.file.Card.LockTimeout)
	line := migration.LockTryLine(d.file.Card.LockTimeout, try, d.tries)
	d.waits = append(d.waits, line)
	d.s.notices = slices.Clone(d.waits)
	d.req.Say("%s", line)
}

// standBack gives everything back and pauses.
func (d *driver) standBack(try int) error {
	if err := d.rollback(); err != nil {
		return err
	}
	return pause(d.ctx, try)
}

// pause is 0.5 s, doubled with each try up to 4 s, and by up to a half longer, so that two who want the same lock do not
// meet again.
func pause(ctx context.Context, try int) error {
	length := min(500*time.Millisecond<<(try-1), 4*time.Second)
	length += rand.N(length / 2) //nolint:gosec // chance, no secret
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(length):
		return nil
	}
}

// runBare runs statement by statement. Only here can a failure leave something half done, so it is marked dirty first.
func (d *driver) runBare(sql string) error {
	if err := d.begin(false); err != nil {
		return d.failed(err, 0, sql)
	}
	if err := d.guard(); err != nil {
		return d.failed(err, 0, sql)
	}
	if _, err := d.s.conn.Exec(d.ctx, writeState, d.set.Name, d.target, true); err != nil {
		return d.failed(err, 0, sql)
	}
	d.req.Say("Running %s without a transaction, statement by statement.", d.file.Script)
	for i, statement := range migration.Split(sql) {
		if _, err := d.s.conn.Exec(d.ctx, setBounds, millis(bareLockBound(d.file, statement)), millis(d.file.Card.StatementTimeout), false); err != nil {
			return d.failed(err, i, sql)
		}
		if _, err := exec(d.ctx, d.s.conn, statement.SQL); err != nil {
			return d.failed(err, i, sql)
		}
	}
	if _, err := d.s.conn.Exec(d.ctx, "BEGIN"); err != nil {
		return d.failed(err, 0, sql)
	}
	if err := d.commit(); err != nil {
		return d.failed(err, 0, sql)
	}
	return nil
}

// bareLockBound is how long a statement outside a transaction waits for a lock. An index that is made or dropped
// CONCURRENTLY waits for every older transaction, and nobody who reads or writes waits behind it: it may take its time,
// because giving up would leave an invalid index.
func bareLockBound(file migration.File, s migration.Statement) time.Duration {
	if s.IndexConcurrently() {
		return file.Card.StatementTimeout
	}
	return file.Card.LockTimeout
}

// begin sets the file's bounds, for the transaction or the session, and claims the run.
func (d *driver) begin(transaction bool) error {
	var batch pgx.Batch
	if transaction {
		batch.Queue("BEGIN")
	}
	batch.Queue(setBounds, millis(d.file.Card.LockTimeout), millis(d.file.Card.StatementTimeout), transaction)
	var state, closed string
	if d.set.Ledger.claims && d.req.Run != (migration.RunID{}) {
		batch.Queue(claimRun, d.req.Run).QueryRow(func(row pgx.Row) error { return row.Scan(&state, &closed) })
	} else {
		state = string(migration.Running)
	}
	batch.Queue("SELECT clock_timestamp()").QueryRow(func(row pgx.Row) error { return row.Scan(&d.began) })
	if err := d.s.conn.SendBatch(d.ctx, &batch).Close(); err != nil {
		return fmt.Errorf("beginning the step: %w", err)
	}
	if state != string(migration.Running) {
		cause := &migration.GivenUp{State: migration.RunState(state)}
		return fault.New(fault.Conflict, "This run has been given up in the meantime. Nothing was changed.").Because(cause)
	}
	if closed != "" {
		return fault.New(fault.GateClosed, "%s Nothing was changed.", closed)
	}
	return nil
}

func millis(d time.Duration) string { return strconv.FormatInt(d.Milliseconds(), 10) + "ms" }

// commit writes ledger row and version and commits, in one round trip.
func (d *driver) commit() error {
	var batch pgx.Batch
	batch.Queue(d.set.Ledger.sql(writeEntry), d.set.Ledger.entryArgs(d.file, d.req, d.began, d.s.notices, d.waited.total(time.Since(d.started)), nil))
	if d.set.Ledger.claims {
		batch.Queue(keepText, d.file.SHA256, d.file.SQL)
	}
	batch.Queue(writeState, d.set.Name, d.target, false)
	batch.Queue("COMMIT")
	if err := d.s.conn.SendBatch(d.ctx, &batch).Close(); err != nil {
		return fmt.Errorf("writing the ledger and committing: %w", err)
	}
	return nil
}

// exec sends SQL as it stands and says how many of its statements finished.
func exec(ctx context.Context, conn *pgx.Conn, sql string) (finished int, err error) {
	results, err := conn.PgConn().Exec(ctx, sql).ReadAll()
	for _, r := range results {
		if r.Err == nil {
			finished++
		}
	}
	return finished, err
}

// failed rolls back, records the try, and says what is known. finished statements of the file had succeeded before.
func (d *driver) failed(err error, finished int, sql string) error {
	if fault.Is(err, fault.Conflict) || fault.Is(err, fault.GateClosed) { // it was refused before anything was tried
		return errors.Join(err, d.rollback())
	}
	if d.s.conn.IsClosed() {
		return &migration.Unknown{Cause: err}
	}
	if rollback := d.rollback(); rollback != nil {
		return &migration.Unknown{Cause: errors.Join(err, rollback)}
	}
	failure := describe(err, d.file, finished, sql)
	ctx, cancel := context.WithTimeout(context.WithoutCancel(d.ctx), 10*time.Second)
	defer cancel()
	if d.began.IsZero() {
		d.began = time.Now()
	}
	var batch pgx.Batch
	batch.Queue(d.set.Ledger.sql(writeEntry), d.set.Ledger.entryArgs(d.file, d.req, d.began, d.s.notices, d.waited.total(time.Since(d.started)), failure))
	if d.set.Ledger.claims {
		batch.Queue(keepText, d.file.SHA256, d.file.SQL)
	}
	if record := d.s.conn.SendBatch(ctx, &batch).Close(); record != nil {
		return errors.Join(failure, fmt.Errorf("recording the failed try: %w", record))
	}
	return failure
}

func (d *driver) rollback() error {
	if d.s.conn.PgConn().TxStatus() == 'I' {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(d.ctx), 10*time.Second)
	defer cancel()
	_, err := d.s.conn.Exec(ctx, "ROLLBACK")
	return err
}

// describe finds file, line and SQLSTATE. The server names a position for what it cannot parse; for what fails while it
// runs, the number of statements that finished leads to the line.
func describe(err error, file migration.File, finished int, sql string) *migration.StepError {
	e := migration.StepError{Script: file.Script, Message: err.Error(), Dirty: file.NoTransaction}
	statements := migration.Split(sql)
	if finished < len(statements) {
		e.Line = statements[finished].Line
	}
	var pg *pgconn.PgError
	if errors.As(err, &pg) {
		e.SQLState, e.Message, e.Detail, e.Hint, e.Where = pg.Code, pg.Message, pg.Detail, pg.Hint, pg.Where
		if pg.Position > 0 && !file.NoTransaction {
			e.Line = migration.LineAt(sql, byteOffset(sql, int(pg.Position)-1))
		}
	}
	return migration.NewStepError(e, err)
}

// byteOffset turns the server's count of characters into bytes.
func byteOffset(s string, characters int) int {
	for i := range s {
		if characters == 0 {
			return i
		}
		characters--
	}
	return len(s)
}
