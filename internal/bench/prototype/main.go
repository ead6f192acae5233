// Package main is the yardstick of the pages: the same templ pages over the same rows, with the session looked up by its
// hash and a keyset query, and nothing else. No tenant is entered, nobody's rights are asked, nothing is logged, no
// header protects anybody. It is the limit that the product's pages are held against, and no way to serve them.
//
// It is started as: prototype ADDRESS DATABASE_URL, with the owner's role.
package main

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"time"

	"github.com/a-h/templ"
	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/labstack/echo/v4"

	"github.com/agogsaas/gatehouse/templates/components"
	"github.com/agogsaas/gatehouse/templates/layouts"
	"github.com/agogsaas/gatehouse/templates/pages"
)

const tenant = "11111111-1111-7111-8111-111111111111"

func main() {
	if err := serve(os.Args[1], os.Args[2]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func serve(addr, database string) error {
	pool, err := pgxpool.New(context.Background(), database)
	if err != nil {
		return err
	}
	p := prototype{pool}
	e := echo.New()
	e.HideBanner, e.HidePort = true, true
	e.GET("/livez", func(c echo.Context) error { return c.String(http.StatusOK, "ok") })
	e.GET("/releases", p.releases, p.session)
	e.GET("/audit", p.audit, p.session)
	return e.Start(addr)
}

type prototype struct{ pool *pgxpool.Pool }

// session looks the cookie up as the product stores it.
func (p prototype) session(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		cookie, err := c.Cookie("__Host-gatehouse")
		if err != nil {
			return echo.ErrUnauthorized
		}
		hash := sha256.Sum256([]byte(cookie.Value))
		var data []byte
		err = p.pool.QueryRow(c.Request().Context(), "SELECT data FROM gatehouse.sessions WHERE token_sha256 = $1 AND expires_at > now()",
			base64.RawURLEncoding.EncodeToString(hash[:])).Scan(&data)
		if err != nil {
			return echo.ErrUnauthorized
		}
		return next(c)
	}
}

func show(c echo.Context, page templ.Component) error {
	c.Response().Header().Set(echo.HeaderContentType, echo.MIMETextHTMLCharsetUTF8)
	return page.Render(c.Request().Context(), c.Response())
}

func (p prototype) releases(c echo.Context) error {
	rows, err := p.pool.Query(c.Request().Context(), `SELECT run_id, code, title, t0, started_by_name, started_at, template_name, template_version,
			items_total, items_done, items_failed, items_skipped
		FROM gatehouse.runs WHERE tenant_id = $1 AND (started_at, run_id) < ($2, $3) ORDER BY started_at DESC, run_id DESC LIMIT 50`,
		tenant, time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC), uuid.Max)
	if err != nil {
		return err
	}
	v := pages.ReleaseListView{Shell: shell("Releases")}
	v.Rows, err = pgx.CollectRows(rows, func(r pgx.CollectableRow) (pages.ReleaseRow, error) {
		row := pages.ReleaseRow{State: components.State{Code: "closed", Word: "Closed", Tone: components.Good}}
		var id uuid.UUID
		var t0, started time.Time
		var template, version string
		var total int
		err := r.Scan(&id, &row.Code, &row.Title, &t0, &row.StartedBy, &started, &template, &version, &total, &row.Counts.Done, &row.Counts.Failed, &row.Counts.Skipped)
		row.Href, row.TZero, row.Template = "/releases/"+id.String(), moment(t0), template+" "+version
		row.Counts.Open = total - row.Counts.Done - row.Counts.Failed - row.Counts.Skipped
		return row, err
	})
	if err != nil {
		return err
	}
	return show(c, pages.ReleaseList(v))
}

func (p prototype) audit(c echo.Context) error {
	rows, err := p.pool.Query(c.Request().Context(), `SELECT seq::text, at, name, roles, origin, action, object_kind || ' ' || object_id, outcome, reason,
			before::text, after::text, hash, prev_hash
		FROM gatehouse.audit_events WHERE tenant_id = $1 ORDER BY audit_events.seq DESC LIMIT 50`, tenant) // qualified: the text of seq is called seq too
	if err != nil {
		return err
	}
	v := pages.AuditListView{Shell: shell("Audit"), Action: "/audit", AllHref: "/audit"}
	v.Rows, err = pgx.CollectRows(rows, func(r pgx.CollectableRow) (pages.AuditRow, error) {
		var row pages.AuditRow
		var at time.Time
		var before, after *string
		var hash, previous []byte
		err := r.Scan(&row.ID, &at, &row.Who, &row.Role, &row.Origin, &row.Action, &row.Object, &row.Outcome.Word, &row.Summary, &before, &after, &hash, &previous)
		row.At, row.Outcome.Code, row.Outcome.Tone = moment(at), row.Outcome.Word, components.Good
		row.Hash, row.Previous = hex.EncodeToString(hash), hex.EncodeToString(previous)
		then, now := fields(before), fields(after)
		for name, value := range now {
			row.Changes = append(row.Changes, pages.Difference{What: name, Then: fmt.Sprint(then[name]), Now: fmt.Sprint(value)})
		}
		return row, err
	})
	if err != nil {
		return err
	}
	return show(c, pages.AuditList(v))
}

func fields(text *string) map[string]any {
	if text == nil {
		return nil
	}
	var object map[string]any
	if json.Unmarshal([]byte(*text), &object) != nil {
		return map[string]any{"": *text}
	}
	return object
}

func shell(title string) layouts.Shell {
	return layouts.Shell{Title: title, Environment: layouts.Demo, Tenant: "Rivermark Print", Person: layouts.Person{Name: "Dana Okafor", Roles: []string{"DevOps lead"}}}
}

func moment(at time.Time) components.Time {
	return components.Time{Local: at.Format("2 Jan, 15:04"), Relative: fmt.Sprintf("%d days ago", int(time.Since(at).Hours()/24)), UTC: at.UTC().Format("2006-01-02 15:04:05 UTC")}
}
