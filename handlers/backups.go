package handlers

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/agogsaas/gatehouse/internal/actor"
	"github.com/agogsaas/gatehouse/internal/backup"
	"github.com/agogsaas/gatehouse/templates/components"
	"github.com/agogsaas/gatehouse/templates/layouts"
	"github.com/agogsaas/gatehouse/templates/pages"
	"github.com/agogsaas/gatehouse/web"
)

// BackupStories are what the page of backups calls.
type BackupStories interface {
	List(ctx context.Context, by actor.Actor) ([]backup.Backup, error)
}

const backupsPage = migrationsPage + "/backups"

// backupCommands are how one is taken and proven; the ids are the operator's to fill in.
const backupCommands = `gatehouse backup create
gatehouse backup drill ID
gatehouse migrate rehearse --backup ID`

type backups struct {
	stories BackupStories
	now     func() time.Time
}

// Backups is the subject of dumps and what each is worth.
func Backups(stories BackupStories, now func() time.Time) []web.Route {
	h := backups{stories, now}
	return []web.Route{web.Needs(http.MethodGet, backupsPage, actor.MigrationRead, h.list)}
}

func (h backups) list(c echo.Context) error {
	if err := web.Query(c).Err(); err != nil {
		return err
	}
	by := web.Actor(c)
	list, err := h.stories.List(c.Request().Context(), by)
	if err != nil {
		return err
	}
	shell := web.Shell(c, "Backups", toMigrations)
	return web.Page(c, http.StatusOK, pages.BackupList(h.listView(shell, by, list)))
}

var backupWorths = map[backup.Worth]components.State{
	backup.Proven:   {Code: "proven", Word: "Restored", Tone: components.Good},
	backup.Unproven: {Code: "unproven", Word: "Never restored", Tone: components.Warn},
	backup.Removed:  {Code: "removed", Word: "Removed", Tone: components.Neutral},
	backup.Broken:   {Code: "broken", Word: "Does not restore", Tone: components.Bad},
}

func (h backups) listView(shell layouts.Shell, by actor.Actor, list []backup.Backup) pages.BackupListView {
	v := pages.BackupListView{
		Shell: shell, Commands: backupCommands, Tone: components.Warn, Sentence: "No backup has been restored here yet.",
		Nothing: "No backup has been taken with Gatehouse yet. A file proves nothing until it was restored once; this page says what each is worth.",
	}
	if !by.Operator {
		v.Sentence, v.Commands = "", ""
		v.Nothing = "The database is looked after by the tenant that operates this environment; its backups are not shown here."
	}
	for _, b := range list {
		worth, why := b.Worth()
		row := pages.BackupRow{
			ID: b.ID.String(), Taken: moment(b.Manifest.TakenAt, h.now(), time.UTC), Worth: backupWorths[worth], Why: why, Standing: b.Manifest.Standing,
			Size: fmt.Sprintf("%.1f MB", float64(b.Bytes)/1e6), Tables: counted(len(b.Manifest.Rows), "table", "tables"), By: b.By, Name: b.Name, SHA256: b.SHA256,
		}
		if worth == backup.Proven && v.Tone != components.Good {
			v.Tone, v.Sentence = components.Good, "The newest backup that restores was taken on "+b.Manifest.TakenAt.UTC().Format("2006-01-02 at 15:04 UTC")+"; it was restored "+why+"."
		}
		v.Rows = append(v.Rows, row)
	}
	return v
}
