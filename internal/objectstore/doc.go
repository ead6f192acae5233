// Package objectstore keeps backups in a bucket of an S3-compatible object store. It is the only package that speaks minio-go.
//
// A dump is streamed: one part of it is in memory at a time. The object is there under its name when the store has said that
// it is whole, and not at all before; what a killed program left of an upload is thrown away by the next one. Whether the store
// holds what was sent is not asked of the store: package backup reads the object again from end to end and compares.
package objectstore
