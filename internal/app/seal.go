package app

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/agogsaas/gatehouse/internal/audit"
)

// noticeKey says at the start whether anything is sealed.
func (a *App) noticeKey(ctx context.Context) {
	if a.config.SealKey == nil {
		a.log.WarnContext(ctx, "no seal key is configured: neither the heads of the audit trail nor dossiers are sealed; `gatehouse audit keygen` makes a key, GATEHOUSE_SEAL_KEY_FILE names its file")
		return
	}
	a.log.InfoContext(ctx, "heads of the audit trail and dossiers are sealed", "key", a.config.SealKey.Public().ID())
}

func examineSealKey(config Config) Finding {
	const what = "seal key"
	if config.SealKey == nil {
		return Finding{What: what, Warn: true, Say: "none is configured, so neither the heads of the audit trail nor dossiers are sealed; `gatehouse audit keygen FILE` makes a key, GATEHOUSE_SEAL_KEY_FILE names its file"}
	}
	return Finding{What: what, OK: true, Say: "seals with key " + config.SealKey.Public().ID()}
}

// WriteSealKey writes a new key and, beside it with the ending .pub, its public half. It never writes over a file.
func WriteSealKey(path string) (*audit.SealKey, error) {
	key, err := audit.NewSealKey()
	if err != nil {
		return nil, err
	}
	if err := writeNew(path, key.PEM(), 0o600); err != nil {
		return nil, err
	}
	return key, writeNew(path+".pub", key.Public().PEM(), 0o644)
}

func writeNew(path, text string, mode fs.FileMode) (err error) {
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
	if errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("%s exists already, and a key is never written over; choose another name", path)
	}
	if err != nil {
		return fmt.Errorf("writing the seal key: %w", err)
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	if _, err := file.WriteString(text); err != nil {
		return fmt.Errorf("writing the seal key: %w", err)
	}
	return file.Sync()
}

// sealKeyIn reads the key of a folder, or makes it there.
func sealKeyIn(dir string) (*audit.SealKey, error) {
	path := filepath.Join(dir, "seal-key.pem")
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return WriteSealKey(path)
	}
	if err != nil {
		return nil, fmt.Errorf("reading the demo's seal key: %w", err)
	}
	key, err := audit.ParseSealKey(string(text))
	if err != nil {
		return nil, fmt.Errorf("the demo's seal key %s %w", path, err)
	}
	return key, nil
}

// sealPEM is the key as it is configured; empty where there is none.
func (c Config) sealPEM() string {
	if c.SealKey == nil {
		return ""
	}
	return c.SealKey.PEM()
}
