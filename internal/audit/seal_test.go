package audit

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
)

func newKey(t *testing.T) *SealKey {
	t.Helper()
	key, err := NewSealKey()
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// sealed are three seals of one tenant, each after the other, the last by another key.
func sealed(first, second *SealKey) []Seal {
	tenant := uuid.MustParse("11111111-1111-7111-8111-111111111111")
	var seals []Seal
	for n := range 3 {
		key, head := first, Head{TenantID: tenant, Seq: int64(10 * (n + 1)), Hash: strings.Repeat(fmt.Sprint(n), 64), At: time.Date(2026, 11, 30, 12, n, 0, 0, time.UTC)}
		if n == 2 {
			key = second
		}
		var previous *Seal
		if n > 0 {
			previous = &seals[n-1]
		}
		seals = append(seals, key.Seal(head, previous))
	}
	return seals
}

func TestSealsHoldAcrossAChangeOfKeys(t *testing.T) {
	first, second := newKey(t), newKey(t)
	c := Seals{Ring: NewKeyring(second, first.Public())}
	for _, s := range sealed(first, second) {
		if err := c.Add(s); err != nil {
			t.Errorf("Add(seal %d) = %v, want that it holds", s.Number, err)
		}
	}
	if newest := c.Newest(); newest == nil || newest.Number != 3 || newest.Seq != 30 {
		t.Errorf("Newest() = %+v, want seal 3 over entry 30", newest)
	}
}

func TestWhateverIsDoneToASealIsNamed(t *testing.T) {
	first, second, stranger := newKey(t), newKey(t), newKey(t)
	both := NewKeyring(second, first.Public())
	for name, c := range map[string]struct {
		ring Keyring
		do   func(s []Seal) []Seal
		want string
	}{
		"nothing":             {both, func(s []Seal) []Seal { return s }, ""},
		"the entry":           {both, func(s []Seal) []Seal { s[1].Seq++; return s }, "seal 2: does not carry the signature"},
		"the hash":            {both, func(s []Seal) []Seal { s[1].Hash = strings.Repeat("f", 64); return s }, "seal 2: does not carry the signature"},
		"the time":            {both, func(s []Seal) []Seal { s[0].At = s[0].At.Add(time.Microsecond); return s }, "seal 1: does not carry the signature"},
		"the tenant":          {both, func(s []Seal) []Seal { s[0].TenantID[0] ^= 1; return s }, "seal 1: does not carry the signature"},
		"the signature":       {both, func(s []Seal) []Seal { s[2].Signature[5] ^= 1; return s }, "seal 3: does not carry the signature"},
		"the key's name":      {both, func(s []Seal) []Seal { s[0].KeyID = second.Public().ID(); return s }, "seal 1: does not carry the signature"},
		"one taken out":       {both, func(s []Seal) []Seal { return append(s[:1:1], s[2]) }, "seal 2: is missing"},
		"the first taken out": {both, func(s []Seal) []Seal { return s[1:] }, "seal 1: is missing"},
		"two swapped":         {both, func(s []Seal) []Seal { s[1].Number, s[2].Number = 3, 2; return []Seal{s[0], s[2], s[1]} }, "seal 2: does not continue the seal before it"},
		"a stranger's":        {both, func(s []Seal) []Seal { s[2] = stranger.Seal(s[2].Head(), &s[1]); return s }, "seal 3: was made with key " + stranger.Public().ID()[:16] + ", which is not trusted here"},
		"an older entry":      {both, func(s []Seal) []Seal { h := s[2].Head(); h.Seq = 5; s[2] = second.Seal(h, &s[1]); return s }, "seal 3: seals entry 5, and the seal before it entry 20"},
		"the old key unknown": {NewKeyring(second), func(s []Seal) []Seal { return s }, "seal 1: was made with key "},
		"no key at all":       {Keyring{}, func(s []Seal) []Seal { return s }, ""},
		"no key, taken out":   {Keyring{}, func(s []Seal) []Seal { return append(s[:1:1], s[2]) }, "seal 2: is missing"},
	} {
		check := Seals{Ring: c.ring}
		got := ""
		for _, s := range c.do(sealed(first, second)) {
			if err := check.Add(s); err != nil {
				got = err.Error()
				break
			}
		}
		if c.want == "" && got != "" || !strings.HasPrefix(got, c.want) {
			t.Errorf("%s: the seals break with %q, want %q", name, got, c.want)
		}
	}
}

func TestKeysAreReadAndRefusedInWords(t *testing.T) {
	key := newKey(t)
	again, err := ParseSealKey(key.PEM())
	if err != nil || again.Public().ID() != key.Public().ID() {
		t.Fatalf("ParseSealKey(PEM) = %v, %v; want the same key", again, err)
	}
	const rsa = "-----BEGIN RSA PRIVATE KEY-----\nMAAA\n-----END RSA PRIVATE KEY-----\n"
	// A key on P-256, made for this test alone.
	const p256 = "-----BEGIN PRIVATE KEY-----\nMIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgevZzL1gdAFr88hb2\nOF/2NxApJCzGCEDdfSp6VQO30hyhRANCAAQRWz+jn65BtOMvdyHKcvjBeBSDZH2r\n1RTwjmYSi9R/zpBnuQ4EiMnCqfMPWiZqB4QdbAd0E7oH50VpuZ1P087G\n-----END PRIVATE KEY-----\n"
	for text, want := range map[string]string{
		"": "no PEM text", "secret": "no PEM text", key.Public().PEM(): "is a public key", rsa: `a block of type "RSA PRIVATE KEY"`,
		key.PEM() + newKey(t).PEM(): "more than one key", p256: "another kind",
		"-----BEGIN PRIVATE KEY-----\nMAAA\n-----END PRIVATE KEY-----\n": "no private key in PKCS#8",
	} {
		if got, err := ParseSealKey(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("ParseSealKey(%.40q) = %v, %v; want a complaint that it %s", text, got, err, want)
		}
	}
	other := newKey(t)
	keys, err := ParsePublicKeys(key.Public().PEM() + other.Public().PEM())
	if err != nil || len(keys) != 2 || keys[1].ID() != other.Public().ID() {
		t.Errorf("ParsePublicKeys(two) = %v, %v; want both", keys, err)
	}
	for text, want := range map[string]string{"": "no PEM text", key.PEM(): "holds a private key", key.Public().PEM() + "x": "no PEM text"} {
		if got, err := ParsePublicKeys(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("ParsePublicKeys(%.40q) = %v, %v; want a complaint that it %s", text, got, err, want)
		}
	}
	for _, text := range []string{fmt.Sprint(key), fmt.Sprintf("%+v", key), fmt.Sprintf("%#v", key), fmt.Sprintf("%v", struct{ K *SealKey }{key})} {
		if strings.Contains(text, "[") || strings.Contains(text, "private") {
			t.Errorf("the key prints as %s", text)
		}
	}
}
