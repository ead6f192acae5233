package postgres

import (
	"context"
	"errors"
	"io"
	"net"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/agogsaas/gatehouse/internal/fault"
)

type pgconnParseError = pgconn.ParseConfigError

// translate turns the driver's errors into faults; faults pass unchanged, and what is none of the known kinds stays
// an internal error.
func translate(err error) error {
	if err == nil {
		return nil
	}
	if _, ok := fault.As(err); ok {
		return err
	}
	if errors.Is(err, pgx.ErrNoRows) {
		return fault.New(fault.NotFound, "There is no such thing here.").Because(err)
	}
	var pg *pgconn.PgError
	if errors.As(err, &pg) {
		return translateCode(pg, err)
	}
	var connect *pgconn.ConnectError
	var network *net.OpError
	switch {
	case errors.Is(err, context.Canceled):
		return err
	case errors.Is(err, context.DeadlineExceeded), errors.As(err, &connect), errors.As(err, &network),
		errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), strings.Contains(err.Error(), "conn closed"),
		strings.Contains(err.Error(), "closed pool"):
		return away(err)
	}
	return err
}

// commitLost is the error of a commit whose answer was not heard: whether it took place is then not known, and nothing else
// may be said. What only read has nothing to lose.
func commitLost(options pgx.TxOptions, err error) error {
	told := translate(err)
	var pg *pgconn.PgError
	if options.AccessMode == pgx.ReadOnly || errors.As(err, &pg) || !fault.Is(told, fault.Unavailable) {
		return told
	}
	return fault.New(fault.Unavailable, "The database went away while this was being saved, so it is not known whether it was. Look at the page again before you repeat it.").Because(err)
}

func translateCode(pg *pgconn.PgError, err error) error {
	switch {
	case pg.Code == "GH001": // the trail is older than its published head
		return fault.New(fault.Conflict, "%s", pg.Message).Titled("Your company is read-only here").Because(err)
	case pg.Code == "GH002": // of the signature's own session
		return fault.New(fault.Unauthenticated, "Your sign-in here has ended while this was under way, so nothing was signed. Sign in again, and look at the page before you repeat it.").Because(err)
	case pg.Code == "23505":
		return fault.New(fault.Conflict, "Somebody else has just done this. Look at the page again.").Because(err)
	case pg.Code == "40001", pg.Code == "40P01":
		return fault.New(fault.Conflict, "Two changes met at the same moment and this one gave way. Try again.").Because(err)
	case pg.Code == "22021", pg.Code == "22P05":
		return fault.New(fault.Invalid, "The text holds characters that cannot be stored. Remove them and try again.").Because(err)
	case pg.Code == "57014":
		return fault.New(fault.Unavailable, "The database took too long to answer. Nothing was changed; try again in a minute.").Because(err)
	case pg.Code == "53100":
		return fault.New(fault.Unavailable, "The database server's disk is full. Nothing was changed, and nothing is tried again by itself. Tell whoever looks after the server; once there is room, try again.").Because(err)
	case strings.HasPrefix(pg.Code, "08"), strings.HasPrefix(pg.Code, "57P"), strings.HasPrefix(pg.Code, "53"):
		return away(err)
	}
	return err
}
