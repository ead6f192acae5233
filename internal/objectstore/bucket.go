package objectstore

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"path"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"

	"github.com/agogsaas/gatehouse/internal/backup"
	"github.com/agogsaas/gatehouse/internal/fault"
)

const (
	// partBytes is what is in memory of an upload. A store takes at most 10,000 parts, so the largest dump is 640 GB.
	partBytes = 64 << 20
	// uploadLife is how old an unfinished upload may be before the next backup takes it for left behind by a program that was
	// killed. An upload under way is not ours to end.
	uploadLife = 24 * time.Hour
	// tries of one request, with short pauses in between. A backup fails soon and is ordered again; it does not hang.
	tries = 3
	// answerTime is how long the store may be silent after a request, and tidyTime how long throwing away may take.
	answerTime, tidyTime = time.Minute, 30 * time.Second
)

// Config says where the bucket is and who asks.
type Config struct {
	Endpoint       string // host or host:port
	Bucket, Prefix string
	Region         string // empty lets the store say
	Key, Secret    string
	Plain          bool // HTTP without TLS
}

// Bucket is a backup.Place.
type Bucket struct {
	client *minio.Core
	config Config
}

var _ backup.Place = (*Bucket)(nil)

// New reads the configuration. It asks the store nothing.
func New(c Config) (*Bucket, error) {
	transport, err := minio.DefaultTransport(!c.Plain)
	if err != nil {
		return nil, fmt.Errorf("preparing to speak to the object store: %w", err)
	}
	transport.DialContext = (&net.Dialer{Timeout: 10 * time.Second, KeepAlive: 15 * time.Second}).DialContext
	transport.ResponseHeaderTimeout = answerTime
	client, err := minio.NewCore(c.Endpoint, &minio.Options{
		Creds: credentials.NewStaticV4(c.Key, c.Secret, ""), Secure: !c.Plain, Region: c.Region, Transport: http.RoundTripper(transport), MaxRetries: tries,
	})
	if err != nil {
		return nil, fmt.Errorf("the object store's address: %w", err)
	}
	return &Bucket{client: client, config: c}, nil
}

// String is where the bucket is, for people.
func (b *Bucket) String() string {
	return "bucket " + path.Join(b.config.Bucket, b.config.Prefix) + " at " + b.config.Endpoint
}

// key is below the prefix whatever the name says.
func (b *Bucket) key(name string) string {
	return strings.TrimPrefix(path.Join(b.config.Prefix, path.Base("/"+name)), "/")
}

// Create begins an upload. It asks first whether the bucket answers, so that a store which is away is known before the dump.
func (b *Bucket) Create(ctx context.Context, name string) (backup.File, error) {
	there, err := b.client.BucketExists(ctx, b.config.Bucket)
	if err != nil {
		return nil, b.fault("A backup cannot be written", err)
	}
	if !there {
		return nil, fault.New(fault.Unavailable, "There is no bucket %s at %s. Nothing was written.", b.config.Bucket, b.config.Endpoint)
	}
	b.sweep(ctx)
	from, to := io.Pipe()
	upload, stop := context.WithCancel(context.WithoutCancel(ctx))
	o := &object{bucket: b, ctx: ctx, name: name, to: to, ended: make(chan error, 1), stop: stop}
	o.off = context.AfterFunc(ctx, func() { _ = to.CloseWithError(ctx.Err()) }) // who writes to a store that went deaf is let go
	// The upload does not end with the request's context: minio-go has to be able to tell the store that it is off. It ends with
	// the pipe, which Abort closes.
	go func() {
		_, err := b.client.Client.PutObject(upload, b.config.Bucket, b.key(name), from, -1, minio.PutObjectOptions{
			ContentType: "application/octet-stream", PartSize: partBytes,
			// Signed chunks are stored as they are by some stores, signatures and all. What arrived is read back and compared.
			DisableContentSha256: true,
		})
		_ = from.CloseWithError(errors.Join(errEnded, err)) // never an error
		o.ended <- err
	}()
	return o, nil
}

// errEnded is told to who still writes to an upload that is over.
var errEnded = errors.New("the upload is over")

// sweep ends the uploads that killed programs left, which would be paid for and never seen. What cannot be ended is no object.
func (b *Bucket) sweep(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, tidyTime)
	defer cancel()
	for upload := range b.client.ListIncompleteUploads(ctx, b.config.Bucket, b.key("gatehouse_"), true) {
		if upload.Err == nil && time.Since(upload.Initiated) > uploadLife {
			_ = b.client.AbortMultipartUpload(ctx, b.config.Bucket, upload.Key, upload.UploadID)
		}
	}
}

// Open streams an object.
func (b *Bucket) Open(ctx context.Context, name string) (io.ReadCloser, error) {
	body, _, _, err := b.client.GetObject(ctx, b.config.Bucket, b.key(name), minio.GetObjectOptions{})
	if err != nil {
		return nil, b.fault("A backup cannot be read", err)
	}
	return body, nil
}

// Size asks the store for the object's size.
func (b *Bucket) Size(ctx context.Context, name string) (int64, error) {
	info, err := b.client.StatObject(ctx, b.config.Bucket, b.key(name), minio.StatObjectOptions{})
	if err != nil {
		return 0, b.fault("A backup cannot be read", err)
	}
	return info.Size, nil
}

// Remove removes an object.
func (b *Bucket) Remove(ctx context.Context, name string) error {
	err := b.client.RemoveObject(ctx, b.config.Bucket, b.key(name), minio.RemoveObjectOptions{})
	if err = b.fault("A backup cannot be removed", err); fault.Is(err, fault.NotFound) {
		return nil
	}
	return err
}

// Check writes a small object, reads it again and removes it.
func (b *Bucket) Check(ctx context.Context) error {
	name, sent := "check-"+uuid.NewString(), []byte("check")
	file, err := b.Create(ctx, name)
	if err != nil {
		return err
	}
	defer file.Abort()
	if _, err := file.Write(sent); err != nil {
		return err
	}
	if err := file.Commit(); err != nil {
		return err
	}
	body, err := b.Open(ctx, name)
	if err != nil {
		return err
	}
	got, err := io.ReadAll(io.LimitReader(body, 1<<16))
	switch err = errors.Join(err, body.Close(), b.Remove(ctx, name)); {
	case err != nil:
		return b.fault("What was written could not be read and removed", err)
	case !bytes.Equal(got, sent):
		return fault.New(fault.Unavailable, "%s does not give back what was written to it: %d bytes came back of %d.", b, len(got), len(sent))
	}
	return nil
}

// fault turns the store's answers into what a person can do about them.
func (b *Bucket) fault(what string, err error) error {
	if _, ok := fault.As(err); ok || err == nil || errors.Is(err, context.Canceled) {
		return err
	}
	answer := minio.ToErrorResponse(err)
	switch {
	case answer.Code == minio.NoSuchKey || answer.StatusCode == http.StatusNotFound && answer.Code != minio.NoSuchBucket:
		return fault.New(fault.NotFound, "The object is not in %s.", b).Because(err)
	case answer.Code == minio.NoSuchBucket:
		return fault.New(fault.Unavailable, "%s: there is no bucket %s at %s.", what, b.config.Bucket, b.config.Endpoint).Because(err)
	case answer.StatusCode == http.StatusForbidden || answer.StatusCode == http.StatusUnauthorized:
		return fault.New(fault.Unavailable, "%s: the object store at %s does not let this key in (%s). Are GATEHOUSE_S3_ACCESS_KEY and GATEHOUSE_S3_SECRET_KEY right, and may they read, write, list and delete in %s?",
			what, b.config.Endpoint, answer.Code, path.Join(b.config.Bucket, b.config.Prefix)).Because(err)
	case answer.StatusCode != 0:
		return fault.New(fault.Unavailable, "%s: the object store at %s answered %d (%s).", what, b.config.Endpoint, answer.StatusCode, answer.Code).Because(err)
	}
	return fault.New(fault.Unavailable, "%s: the object store at %s cannot be reached, or stopped answering. Try again when it is back.", what, b.config.Endpoint).Because(err)
}

// object is an upload under way.
type object struct {
	bucket *Bucket
	ctx    context.Context //nolint:containedctx // a file lives as long as the call that writes it
	name   string
	to     *io.PipeWriter
	ended  chan error
	off    func() bool
	stop   context.CancelFunc
	done   bool
}

func (o *object) Write(p []byte) (int, error) {
	n, err := o.to.Write(p)
	if err != nil {
		err = o.bucket.fault("A backup cannot be written", err)
	}
	return n, err
}

// Commit is done when the store has said that it has the object.
func (o *object) Commit() error {
	if err := o.to.Close(); err != nil {
		return err
	}
	err := <-o.ended
	o.ended <- err // for Abort
	if err != nil {
		return o.bucket.fault("A backup cannot be written", err)
	}
	o.done = true
	o.close()
	return nil
}

func (o *object) close() {
	o.off()
	o.stop()
}

var errAborted = errors.New("the dump did not reach its end")

// Abort ends the upload. An object may be there all the same, where the store's last answer was lost on the way.
func (o *object) Abort() {
	if o.done {
		return
	}
	o.done = true
	defer o.close()
	_ = o.to.CloseWithError(errAborted) // never an error
	late := time.AfterFunc(tidyTime, o.stop)
	defer late.Stop()
	<-o.ended //nolint:errcheck // how it ended does not matter any more
	ctx, cancel := context.WithTimeout(context.WithoutCancel(o.ctx), tidyTime)
	defer cancel()
	_ = o.bucket.Remove(ctx, o.name) // where it cannot be removed it is on no record, and nothing counts on it
}
