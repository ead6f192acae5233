package main

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/johannesboyne/gofakes3"
	"github.com/johannesboyne/gofakes3/backend/s3mem"

	"github.com/agogsaas/gatehouse/internal/tcpproxy"
)

// keeping is where backups are kept, as a thief or a bad disk reaches it: behind Gatehouse's back.
type keeping interface {
	names() []string
	read(name string) []byte
	write(name string, content []byte)
	remove(name string)
}

// onEachPlace runs a story over a folder and over an object store. They make the same promise.
func onEachPlace(t *testing.T, story func(t *testing.T, o operator, kept keeping)) {
	t.Helper()
	t.Run("folder", func(t *testing.T) {
		o, dir := backingUp(t)
		story(t, o, folder{t, dir})
	})
	t.Run("object store", func(t *testing.T) {
		o, kept := storing(t)
		story(t, o, kept)
	})
}

// storing is an operator whose backups go to a bucket.
func storing(t *testing.T) (operator, *bucket) {
	t.Helper()
	o, _ := backingUp(t)
	kept := newBucket(t)
	t.Setenv("GATEHOUSE_BACKUP_DIR", "")
	for name, value := range map[string]string{
		"ENDPOINT": strings.TrimPrefix(kept.server.URL, "http://"), "BUCKET": "backups", "PREFIX": "erp/prod", "REGION": "eu-central-1",
		"ACCESS_KEY": "our-key", "SECRET_KEY": "our-secret", "TLS": "off",
	} {
		t.Setenv("GATEHOUSE_S3_"+name, value)
	}
	return o, kept
}

type folder struct {
	t   *testing.T
	dir string
}

func (f folder) names() []string {
	f.t.Helper()
	entries, err := os.ReadDir(f.dir)
	if err != nil {
		f.t.Fatal(err)
	}
	var list []string
	for _, e := range entries {
		list = append(list, e.Name())
	}
	return list
}

func (f folder) read(name string) []byte {
	f.t.Helper()
	content, err := os.ReadFile(filepath.Join(f.dir, name))
	if err != nil {
		f.t.Fatal(err)
	}
	return content
}

func (f folder) write(name string, content []byte) {
	f.t.Helper()
	if err := os.WriteFile(filepath.Join(f.dir, name), content, 0o600); err != nil {
		f.t.Fatal(err)
	}
}

func (f folder) remove(name string) {
	f.t.Helper()
	if err := os.Remove(filepath.Join(f.dir, name)); err != nil {
		f.t.Fatal(err)
	}
}

// bucket is a store that knows one key, and that can do wrong on purpose.
type bucket struct {
	t      *testing.T
	server *httptest.Server
	memory *s3mem.Backend

	mu    sync.Mutex
	spoil bool // the next object that is put is altered
	asked []string
}

func newBucket(t *testing.T) *bucket {
	t.Helper()
	b := &bucket{t: t, memory: s3mem.New()}
	if err := b.memory.CreateBucket("backups"); err != nil {
		t.Fatal(err)
	}
	store := gofakes3.New(b.memory).Server()
	b.server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !strings.Contains(r.Header.Get("Authorization"), "Credential=our-key/") {
			w.Header().Set("Content-Type", "application/xml")
			w.WriteHeader(http.StatusForbidden)
			_, _ = io.WriteString(w, `<Error><Code>InvalidAccessKeyId</Code><Message>no such key</Message></Error>`) // the client may be gone
			return
		}
		b.mu.Lock()
		b.asked = append(b.asked, r.Method+" "+r.URL.Path)
		spoil := b.spoil && r.Method == http.MethodPut
		b.spoil = b.spoil && !spoil
		b.mu.Unlock()
		if spoil {
			sent, err := io.ReadAll(r.Body)
			if err != nil {
				w.WriteHeader(http.StatusBadRequest)
				return
			}
			sent[len(sent)/2] ^= 1
			r.Body = io.NopCloser(bytes.NewReader(sent))
		}
		store.ServeHTTP(w, r)
	}))
	t.Cleanup(b.server.Close)
	return b
}

func (b *bucket) names() []string {
	b.t.Helper()
	list, err := b.memory.ListBucket("backups", &gofakes3.Prefix{}, gofakes3.ListBucketPage{})
	if err != nil {
		b.t.Fatal(err)
	}
	var names []string
	for _, o := range list.Contents {
		name, below := strings.CutPrefix(o.Key, "erp/prod/")
		if !below {
			b.t.Errorf("the object %s is not below the prefix", o.Key)
		}
		names = append(names, name)
	}
	return names
}

func (b *bucket) read(name string) []byte {
	b.t.Helper()
	object, err := b.memory.GetObject("backups", "erp/prod/"+name, nil)
	if err != nil {
		b.t.Fatal(err)
	}
	content, err := io.ReadAll(object.Contents)
	if err != nil {
		b.t.Fatal(err)
	}
	return content
}

func (b *bucket) write(name string, content []byte) {
	b.t.Helper()
	if _, err := b.memory.PutObject("backups", "erp/prod/"+name, map[string]string{"Last-Modified": time.Now().UTC().Format(http.TimeFormat)}, bytes.NewReader(content), int64(len(content)), nil); err != nil {
		b.t.Fatal(err)
	}
}

func (b *bucket) remove(name string) {
	b.t.Helper()
	if _, err := b.memory.DeleteObject("backups", "erp/prod/"+name); err != nil {
		b.t.Fatal(err)
	}
}

// A store that takes something else than it was given is found out before anybody counts on the backup.
func TestWhatTheStoreTookIsReadAgain(t *testing.T) {
	o, kept := storing(t)
	kept.spoil = true
	o.refused(1, "is not what was written: the file has been altered", "backup", "create")
	o.leftNothing(kept)
	o.must("backup", "drill", strings.TrimSpace(o.must("backup", "create")))
}

// leftNothing expects no file, no backup on record, and the failed try in the trail.
func (o operator) leftNothing(kept keeping) {
	o.t.Helper()
	if names := kept.names(); len(names) != 0 {
		o.t.Errorf("after a failed dump %v is kept, want nothing", names)
	}
	if listed := o.must("backup", "list"); listed != "" {
		o.t.Errorf("after a failed dump the list is %q", listed)
	}
	if n := o.audited("backup:create", "failed"); n == 0 {
		o.t.Error("the failed dump is not in the audit trail")
	}
}

func TestAStoreThatIsAwayIsNoBackup(t *testing.T) {
	o, kept := storing(t)
	proxy := tcpproxy.Start(t, "tcp", strings.TrimPrefix(kept.server.URL, "http://"))
	t.Setenv("GATEHOUSE_S3_ENDPOINT", proxy.Addr())
	id := strings.TrimSpace(o.must("backup", "create"))
	name := kept.names()[0]
	// In the middle of the upload.
	proxy.CutAfter(tcpproxy.ToServer, 20_000)
	o.refused(1, "cannot be reached, or stopped answering", "backup", "create")
	if names := kept.names(); !slices.Equal(names, []string{name}) {
		t.Errorf("after a cut upload the bucket holds %v, want the backup before it alone", names)
	}
	// From the start, and while one is restored: that says nothing about the backup.
	o.refused(1, "cannot be reached", "backup", "create")
	o.refused(1, "cannot be reached", "backup", "drill", id)
	proxy.Resume()
	proxy.CutAfter(tcpproxy.ToClient, 20_000)
	o.refused(1, "stopped in the middle", "backup", "drill", id)
	proxy.Resume()
	if listed := o.must("backup", "list"); strings.Count(listed, "\n") != 1 || !strings.Contains(listed, "never restored") {
		t.Errorf("the list is\n%s\nwant one backup, of which nothing bad is known", listed)
	}
	o.must("backup", "drill", id)
	if n := o.scratchDatabases(); n != 0 {
		t.Errorf("%d scratch databases are left, want none", n)
	}
}

func TestAStoreThatDoesNotLetUsIn(t *testing.T) {
	o, kept := storing(t)
	t.Setenv("GATEHOUSE_S3_ACCESS_KEY", "another-key")
	o.refused(1, "does not let this key in", "backup", "create")
	if out, err := o.run("doctor"); err == nil || !strings.Contains(out, "does not let this key in") || strings.Contains(out, "our-secret") {
		t.Errorf("doctor = %v and says\n%s", err, out)
	}
	t.Setenv("GATEHOUSE_S3_ACCESS_KEY", "our-key")
	if out, _ := o.run("doctor"); !strings.Contains(out, "bucket backups/erp/prod at 127.0.0.1") { // other findings are not of interest
		t.Errorf("doctor says\n%s", out)
	}
	t.Setenv("GATEHOUSE_S3_BUCKET", "elsewhere")
	o.refused(1, "no bucket elsewhere", "backup", "create")
	t.Setenv("GATEHOUSE_S3_BUCKET", "")
	o.refused(2, "GATEHOUSE_S3_BUCKET: is not set", "backup", "create")
	t.Setenv("GATEHOUSE_S3_BUCKET", "backups")
	t.Setenv("GATEHOUSE_BACKUP_DIR", t.TempDir())
	o.refused(2, "kept in one place", "backup", "create")
	t.Setenv("GATEHOUSE_BACKUP_DIR", "")
	o.leftNothing(kept)
}
