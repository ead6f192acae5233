package main

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/agogsaas/gatehouse/internal/demo/warehouse"
	"github.com/agogsaas/gatehouse/internal/migration"
	"github.com/agogsaas/gatehouse/internal/migrator"
	"github.com/agogsaas/gatehouse/internal/postgres"
)

// stand is the large warehouse as one of the requirement's releases finds it: at a version, with the files that follow.
// The recommendations and their history, a million, are there from V0.0.18 on.
type stand struct {
	database string
	from     migration.Version
	last     migration.Version
}

var stands = []stand{{"bench_large_14", baselineVersion, 18}, {"bench_large_18", 18, 22}}

// contestant applies one file to a database.
type contestant struct {
	name string
	// begin tells it, outside the measurement, where a copy stands; nil where it sees that by itself.
	begin func(ctx context.Context, database string, from migration.Version) error
	apply func(ctx context.Context, database string, v migration.Version) error
}

// large is each of the files after the baseline on the large sample warehouse: rehearsed, applied by us as the worker
// does, by psql -1 -f, and by golang-migrate's own command, with the locks that the rehearsal saw. Each side migrates as many
// copies as there are rounds, and the middle one is printed.
func large(ctx context.Context, b *bench) error {
	if err := b.home.largeWarehouse(ctx, b); err != nil {
		return err
	}
	m, err := migrator.New(migrator.WMS(), b.home.owner(stands[0].database))
	if err != nil {
		return err
	}
	files := m.Files()
	sides, err := b.contestants(ctx, files)
	if err != nil {
		return err
	}
	b.print("| file | rehearsed | ours | psql -1 -f | golang-migrate's command | ours / golang-migrate | locks on what was there |")
	b.print("|---|---|---|---|---|---|---|")
	var sums [3]time.Duration
	for _, from := range stands {
		if err := b.largeFrom(ctx, from, files, sides, &sums); err != nil {
			return err
		}
	}
	what := fmt.Sprintf("P10 the six on the large warehouse, medians of %d", b.rounds)
	b.judge(figure{what: what, format: "ratio %.2f of golang-migrate's command", value: sums[0].Seconds() / sums[2].Seconds(), goal: 1.3, note: "ours " + seconds(sums[0]) + ", theirs " + seconds(sums[2])})
	b.judge(figure{what: what, format: "ratio %.2f of psql -1 -f", value: sums[0].Seconds() / sums[1].Seconds(), goal: 1, note: "psql " + seconds(sums[1])})
	return nil
}

// largeFrom measures the files of one release and prints a row each.
func (b *bench) largeFrom(ctx context.Context, from stand, files *migration.Files, sides []contestant, sums *[3]time.Duration) error {
	h := b.home
	report, err := h.rehearse(ctx, from)
	if err != nil {
		return err
	}
	versions := slices.DeleteFunc(files.Versions(), func(v migration.Version) bool { return v <= from.from || v > from.last })
	took := map[string]sample{}
	for round := range b.rounds {
		for i := range sides {
			side := sides[(i+round)%len(sides)]
			b.say("from V%s, round %d of %d: %s", from.from, round+1, b.rounds, side.name)
			if err := h.copyOf(ctx, from.database, "bench_side"); err != nil {
				return err
			}
			if side.begin != nil {
				if err := side.begin(ctx, "bench_side", from.from); err != nil {
					return fmt.Errorf("%s: %w", side.name, err)
				}
			}
			for _, v := range versions {
				began := time.Now()
				if err := side.apply(ctx, "bench_side", v); err != nil {
					return fmt.Errorf("%s, V%s: %w", side.name, v, err)
				}
				key := side.name + v.String()
				took[key] = append(took[key], time.Since(began))
			}
		}
	}
	for _, v := range versions {
		var middle [3]time.Duration
		var cells []string
		for i, side := range sides {
			s := took[side.name+v.String()]
			middle[i] = s.at(0.5)
			sums[i] += middle[i]
			cells = append(cells, fmt.Sprintf("%s (%s to %s)", seconds(middle[i]), seconds(s.at(0)), seconds(s.at(1))))
		}
		rehearsed, locks := "-", "-"
		for _, r := range report.Versions {
			if r.Version == v.String() {
				rehearsed, locks = seconds(r.UpTime()), strongLocks(r.Passes[0])
			}
		}
		b.print("| V%s | %s | %s | %.2f | %s |", v, rehearsed, strings.Join(cells, " | "), middle[0].Seconds()/middle[2].Seconds(), locks)
	}
	return nil
}

func seconds(d time.Duration) string { return strconv.FormatFloat(d.Seconds(), 'f', 2, 64) + " s" }

// strongLocks are the locks of a pass that keep somebody waiting, each once.
func strongLocks(p migration.RehearsedPass) string {
	var words []string
	for _, s := range p.Statements {
		for _, l := range s.Locks {
			if word := l.Mode + " " + l.Relation; l.Mode != "AccessShareLock" && !slices.Contains(words, word) {
				words = append(words, word)
			}
		}
	}
	if len(words) == 0 {
		return "none"
	}
	return strings.Join(words, ", ")
}

// largeWarehouse makes the two stands, the second from the first.
func (h *home) largeWarehouse(ctx context.Context, b *bench) error {
	options := warehouse.Options{Size: warehouse.Large, Now: time.Now()}
	first, second := stands[0], stands[1]
	b.say("the large sample warehouse at V%s", first.from)
	if err := h.database(ctx, first.database, first.from.String()); err != nil {
		return err
	}
	err := h.with(ctx, h.owner(first.database), func(conn *pgx.Conn) error {
		if err := warehouse.Warehouse(ctx, conn, options); err != nil {
			return err
		}
		_, err := conn.Exec(ctx, "VACUUM (ANALYZE)")
		return err
	})
	if err != nil {
		return err
	}
	b.say("and at V%s, with its history", second.from)
	if err := h.copyOf(ctx, first.database, second.database); err != nil {
		return err
	}
	if err := h.warehouse(ctx, second.database, second.from.String()); err != nil {
		return err
	}
	return h.with(ctx, h.owner(second.database), func(conn *pgx.Conn) error {
		if err := warehouse.History(ctx, conn, options); err != nil {
			return err
		}
		if err := lengthen(ctx, conn, b); err != nil {
			return fmt.Errorf("lengthening the history: %w", err)
		}
		_, err := conn.Exec(ctx, "VACUUM (ANALYZE)")
		return err
	})
}

// lengthen copies recommendations until there are as many as -history asks for: what V0.0.20 rewrites.
func lengthen(ctx context.Context, conn *pgx.Conn, b *bench) error {
	for {
		var have int
		if err := conn.QueryRow(ctx, "SELECT count(*) FROM putaway_recommendations").Scan(&have); err != nil {
			return err
		}
		if have >= b.history {
			return nil
		}
		b.say("%d recommendations of %d", have, b.history)
		const columns = `facility_id, lot_number, material_id, quantity, recommended_location_id, algorithm_used, confidence_score,
			ml_adjusted_confidence, features, reason, accepted, actual_location_id, decided_at, decided_by, created_at`
		_, err := conn.Exec(ctx, `INSERT INTO putaway_recommendations (tenant_id, recommendation_id, `+columns+`)
			SELECT tenant_id, gen_random_uuid(), `+columns+` FROM putaway_recommendations LIMIT $1`, b.history-have)
		if err != nil {
			return err
		}
	}
}

func (h *home) copyOf(ctx context.Context, database, name string) error {
	return h.execute(ctx, "postgres", "DROP DATABASE IF EXISTS "+name,
		"CREATE DATABASE "+name+" TEMPLATE "+database+" OWNER gatehouse_owner", "CHECKPOINT")
}

func (h *home) rehearse(ctx context.Context, from stand) (migration.RehearsalReport, error) {
	m, err := migrator.New(migrator.WMS(), h.owner(from.database))
	if err != nil {
		return migration.RehearsalReport{}, err
	}
	scratch := migration.ScratchPrefix + "bench"
	if err := h.copyOf(ctx, from.database, scratch); err != nil {
		return migration.RehearsalReport{}, err
	}
	report, err := m.Rehearse(ctx, migrator.RehearseRequest{
		URL: h.owner(scratch), Data: migration.RehearsalData{Kind: migration.OnCopy}, Facts: postgres.CatalogFacts,
	})
	if err == nil && !report.Passed() {
		err = errors.New(report.Verdict())
	}
	return report, errors.Join(err, h.execute(ctx, "postgres", "DROP DATABASE "+scratch))
}

// contestants are we, psql, and golang-migrate's command, built here from its own source.
func (b *bench) contestants(ctx context.Context, files *migration.Files) ([]contestant, error) {
	renamed, original, err := b.writeFiles(files)
	if err != nil {
		return nil, err
	}
	command := filepath.Join(b.home.dir, "migrate")
	build := exec.CommandContext(ctx, "go", "build", "-trimpath", "-tags", "pgx5 file", "-o", command, "github.com/golang-migrate/migrate/v4/cmd/migrate")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if said, err := build.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("building golang-migrate's command: %w\n%s", err, said)
	}
	theirs := func(ctx context.Context, database string, args ...string) error {
		address, err := url.Parse(b.home.owner(database))
		if err != nil {
			return err
		}
		address.Scheme = "pgx5"
		said, err := exec.CommandContext(ctx, command, append([]string{"-path", renamed, "-database", address.String()}, args...)...).CombinedOutput()
		if err != nil {
			return fmt.Errorf("%w: %s", err, said)
		}
		return nil
	}
	return []contestant{
		{name: "ours", apply: b.home.oneOfOurs},
		{name: "psql", apply: func(ctx context.Context, database string, v migration.Version) error {
			return b.home.psql(ctx, database, []string{original[v]})
		}},
		{
			name: "golang-migrate",
			begin: func(ctx context.Context, database string, from migration.Version) error {
				if from == baselineVersion {
					return nil
				}
				return theirs(ctx, database, "force", strconv.Itoa(int(from)))
			},
			apply: func(ctx context.Context, database string, v migration.Version) error {
				return theirs(ctx, database, "goto", strconv.Itoa(int(v)))
			},
		},
	}, nil
}

// oneOfOurs applies one version on connections of its own, as a command does.
func (h *home) oneOfOurs(ctx context.Context, database string, v migration.Version) error {
	m, err := migrator.New(migrator.WMS(), h.owner(database))
	if err != nil {
		return err
	}
	db, err := postgres.Open(ctx, h.app(database))
	if err != nil {
		return err
	}
	defer db.Close()
	return applyOne(ctx, m, db, v)
}
