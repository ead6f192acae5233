// Package main measures the product at its edge and prints one line a row, each a ratio to a yardstick that runs beside
// it in the same minutes. Milliseconds of a machine say little; what is quoted is the ratio.
//
// It makes its own data with a fixed seed on a private cluster of its own (fsync on), builds and starts the real binary,
// signs in through the demo identity provider, and alternates ours and the yardstick. It ends non-zero where a row falls
// short of its goal, and refuses to start on a machine that is busy with something else.
//
// It refuses to know how anything is made faster: a row that falls short is a question to EXPLAIN.
//
// Start reading at run; the rows are p3_pages.go, p7_quality.go, p8_lots.go, p10_migrations.go, p11_start.go, p12_outage.go, p14_audit.go and migrate.go. The
// yardstick of the pages and of the start is the program in prototype/.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"time"
)

// busy is the load average above which figures mean nothing.
const busy = 1.5

type flags struct {
	only     string
	rows     int
	bins     int
	history  int
	rounds   int
	entries  int64
	pairs    int
	block    time.Duration
	patience time.Duration
	anyway   bool
}

// part is one row of the plan of measurements.
type part struct {
	id      string
	measure func(context.Context, *bench) error
}

var parts = []part{{"P3", pages}, {"P7", figures}, {"P8", lots}, {"P10", migrations}, {"P11", starts}, {"P12", outage}, {"P14", trail}}

// asked are measured only where -only names them: they take long.
var asked = []part{{"migrate", large}}

// bench is what the rows share.
type bench struct {
	flags
	out   io.Writer
	home  *home
	short []string // what fell short
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:], os.Stdout)
	stop()
	if err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string, out io.Writer) (err error) {
	f, chosen, err := parse(args)
	if err != nil {
		return err
	}
	b := &bench{flags: f, out: out}
	b.say("building the binary and its yardstick, starting a private PostgreSQL")
	b.home, err = newHome(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, b.home.close()) }()
	if err := b.quiet(ctx); err != nil {
		return err
	}
	b.print("host: %d cores, %s, PostgreSQL %d, %s, load average before: %s", runtime.NumCPU(), processor(), b.home.pg.Version(), runtime.Version(), loadText())
	for _, p := range chosen {
		if err := p.measure(ctx, b); err != nil {
			return fmt.Errorf("%s: %w", p.id, err)
		}
	}
	b.print("load average after: %s", loadText())
	if len(b.short) > 0 {
		return fmt.Errorf("short of the goal: %s", strings.Join(b.short, "; "))
	}
	return nil
}

func parse(args []string) (flags, []part, error) {
	var f flags
	set := flag.NewFlagSet("bench", flag.ContinueOnError)
	set.StringVar(&f.only, "only", "", "rows to measure, separated by commas; all where empty")
	set.IntVar(&f.rows, "rows", 1_000_000, "releases, and entries of the audit trail, of P3")
	set.IntVar(&f.bins, "bins", 100_000, "bins of P8's large warehouse; the small one has 1,000")
	set.Int64Var(&f.entries, "entries", 1_000_000, "entries of the chain that P14 walks")
	set.IntVar(&f.history, "history", 0, "recommendations in the large warehouse of migrate; 0 for the sample's own million")
	set.IntVar(&f.rounds, "rounds", 3, "how often each side of migrate is measured; the middle one is printed")
	set.IntVar(&f.pairs, "pairs", 7, "pairs of ours and the yardstick")
	set.DurationVar(&f.block, "block", 2*time.Second, "how long one side of a pair of P3 lasts")
	set.DurationVar(&f.patience, "patience", 3*time.Minute, "how long to wait for the machine to become quiet")
	set.BoolVar(&f.anyway, "anyway", false, "measure also where the machine is busy, and say so")
	if err := set.Parse(args); err != nil {
		return flags{}, nil, err
	}
	if f.pairs < 5 {
		return flags{}, nil, errors.New("a median of fewer than 5 pairs is no figure: choose -pairs 5 or more")
	}
	if f.rows < 1000 || f.bins < 1000 {
		return flags{}, nil, errors.New("-rows and -bins want 1000 at least")
	}
	if f.entries < 1000 {
		return flags{}, nil, errors.New("-entries wants 1000 at least")
	}
	if f.rounds < 1 {
		return flags{}, nil, errors.New("-rounds wants 1 at least")
	}
	if f.only == "" {
		return f, parts, nil
	}
	var chosen []part
	for id := range strings.SplitSeq(f.only, ",") {
		found := false
		for _, p := range slices.Concat(parts, asked) {
			if strings.EqualFold(p.id, strings.TrimSpace(id)) {
				chosen, found = append(chosen, p), true
			}
		}
		if !found {
			return flags{}, nil, fmt.Errorf("there is no row %q; there are P3, P8, P10, P11, P12, P14 and migrate", id)
		}
	}
	return f, chosen, nil
}

// quiet waits for the machine to have nothing else to do; our own building counts as something else.
func (b *bench) quiet(ctx context.Context) error {
	deadline := time.Now().Add(b.patience)
	for said := false; ; said = true {
		load, err := loadAverage()
		if err != nil {
			return err
		}
		switch {
		case load <= busy:
			return nil
		case b.anyway:
			b.print("BUSY: the load average at the start is %.2f, above %.1f. The figures below are no figures to quote.", load, busy)
			return nil
		case time.Now().After(deadline):
			return fmt.Errorf("the load average is %.2f, above %.1f: what is measured now would say nothing. Wait until the machine is quiet, or give -anyway", load, busy)
		case !said:
			b.say("the load average is %.2f; waiting up to %s for %.1f", load, b.patience, busy)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(2 * time.Second):
		}
	}
}

// say tells what is being done, beside the figures.
func (b *bench) say(format string, args ...any) {
	fmt.Fprintf(os.Stderr, "bench: "+format+"\n", args...)
}

func (b *bench) print(format string, args ...any) {
	_, _ = fmt.Fprintf(b.out, format+"\n", args...) // a closed terminal changes no figure
}

// judge prints the row's line and keeps what fell short.
func (b *bench) judge(f figure) {
	b.print("%s", f)
	if !f.holds() {
		b.short = append(b.short, f.what)
	}
}
