package app

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/agogsaas/gatehouse/internal/audit"
	"github.com/agogsaas/gatehouse/internal/backup"
	"github.com/agogsaas/gatehouse/internal/objectstore"
	"github.com/agogsaas/gatehouse/internal/postgres"
)

// Secret is a value that never prints.
type Secret string

// String hides the value from logs and error texts.
func (Secret) String() string { return "***" }

// GoString hides the value from %#v.
func (Secret) GoString() string { return "***" }

// MarshalText hides the value from JSON and slog.
func (Secret) MarshalText() ([]byte, error) { return []byte("***"), nil }

// Config is everything that can be set from outside. The zero value of each field is usable or refused by Check.
type Config struct {
	Addr               string   // where to listen
	PublicURL          *url.URL // as people's browsers see it; redirects are made from it alone
	Environment        string   // production, staging or demo: the stripe at the top of every page
	DatabaseURL        Secret   // as gatehouse_app
	OwnerDatabaseURL   Secret   // as gatehouse_owner; applies migrations
	BackupDir          string   // where backups are kept, as files
	S3                 objectstore.Config
	S3Secret           Secret
	ExternalDrill      time.Duration     // how long after its registration an external backup has to be restored
	BackupKeep         time.Duration     // how long files of backups are kept; zero is for ever
	SealKey            *audit.SealKey    // seals heads and dossiers; nil seals nothing
	SealTrusted        []audit.PublicKey // of earlier keys
	AuditHeads         string            // file to which the heads of the audit chains are published
	ScratchDatabaseURL Secret            // may create databases
	StateDir           string            // where the demo keeps its private PostgreSQL
	PGBinDir           string

	OIDCIssuer       string
	OIDCClientID     string
	OIDCClientSecret Secret
	OIDCScopes       []string
	OIDCRoleClaim    string   // dotted path to the claim that holds roles
	OIDCTenantClaim  string   // dotted path to the claim that holds the tenant's code
	OIDCACR          []string // authentication context classes of which a fresh sign-in has to have one; empty for any
	OIDCName         string   // what the sign-in button calls the provider

	SessionIdle     time.Duration
	SessionLifetime time.Duration
	TrustedProxies  []netip.Prefix
	GraphQLURL      string // what the health check asks; empty means this server itself
	LogJSON         bool

	wrong  map[string]bool // the variables that were set and cannot be read
	fromPG []string        // the PG* variables from which DatabaseURL was made; nil where it stands by itself
}

// Option is one environment variable: its name, default, meaning, and how it is read into a Config.
type Option struct {
	Name, Default, Help string
	Secret              bool
	read                func(c *Config, value string) error
}

// Options lists every variable that Gatehouse reads, in the order of the README's table.
var Options = []Option{
	{"GATEHOUSE_ADDR", "127.0.0.1:8080", "Address and port to listen on.", false, readAddr},
	{"GATEHOUSE_PUBLIC_URL", "", "The address as browsers see it, e.g. https://gatehouse.example.com. Default: http:// and GATEHOUSE_ADDR.", false, readPublicURL},
	{"GATEHOUSE_ENVIRONMENT", "production", "production, staging or demo: said at the top of every page and on every dangerous button.", false, readEnvironment},
	{"GATEHOUSE_DATABASE_URL", "", "PostgreSQL address as the application role (gatehouse_app). It must not own tables nor bypass row-level security. Where it is not set, PGHOST or PGSERVICE and the other PG* variables say the same, with gatehouse_app where there is no PGUSER.", true, func(c *Config, v string) error { return readDSN(&c.DatabaseURL, v) }},
	{"GATEHOUSE_OWNER_DATABASE_URL", "", "PostgreSQL address as the owner role (gatehouse_owner), used for migrations alone.", true, func(c *Config, v string) error { return readDSN(&c.OwnerDatabaseURL, v) }},
	{"GATEHOUSE_OIDC_ISSUER", "", "Issuer URL of the OpenID Connect provider.", false, readIssuer},
	{"GATEHOUSE_OIDC_CLIENT_ID", "", "Client id at the provider.", false, func(c *Config, v string) error { c.OIDCClientID = v; return nil }},
	{"GATEHOUSE_OIDC_CLIENT_SECRET", "", "Client secret at the provider.", true, func(c *Config, v string) error { c.OIDCClientSecret = Secret(v); return nil }},
	{"GATEHOUSE_OIDC_SCOPES", "profile email", "Scopes to ask for besides openid, separated by spaces.", false, func(c *Config, v string) error { c.OIDCScopes = strings.Fields(v); return nil }},
	{"GATEHOUSE_OIDC_ROLE_CLAIM", "groups", "Claim that holds the person's roles: strings, or objects with a name; a dotted path reaches into objects.", false, func(c *Config, v string) error { c.OIDCRoleClaim = v; return nil }},
	{"GATEHOUSE_OIDC_TENANT_CLAIM", "tenant", "Claim that holds the code of the person's tenant.", false, func(c *Config, v string) error { c.OIDCTenantClaim = v; return nil }},
	{"GATEHOUSE_OIDC_ACR", "", "Authentication context classes (acr) of which a fresh sign-in, as before a signature, has to have one, separated by spaces; asked for with acr_values and checked. Any where empty.", false, func(c *Config, v string) error { c.OIDCACR = strings.Fields(v); return nil }},
	{"GATEHOUSE_OIDC_NAME", "your company's sign-in", "What the sign-in button calls the provider.", false, func(c *Config, v string) error { c.OIDCName = v; return nil }},
	{"GATEHOUSE_SESSION_IDLE", "30m", "A session ends after this time without a request.", false, func(c *Config, v string) error { return readDuration(&c.SessionIdle, v) }},
	{"GATEHOUSE_SESSION_LIFETIME", "8h", "A session ends after this time in any case.", false, func(c *Config, v string) error { return readDuration(&c.SessionLifetime, v) }},
	{"GATEHOUSE_TRUSTED_PROXIES", "", "Networks whose X-Forwarded-For is believed, e.g. 10.0.0.0/8, separated by commas.", false, readProxies},
	{"GATEHOUSE_GRAPHQL_URL", "", "GraphQL address that the health check asks. Default: this server's own.", false, readGraphQL},
	{"GATEHOUSE_STATE_DIR", "", "Where `gatehouse demo` keeps its PostgreSQL. Default: /var/lib/gatehouse as root, else the user's state folder.", false, func(c *Config, v string) error { c.StateDir = v; return nil }},
	{"GATEHOUSE_BACKUP_DIR", "", "Folder for backups, see `gatehouse backup`; or use an object store (GATEHOUSE_S3_ENDPOINT). Only this program should be able to read it.", false, func(c *Config, v string) error { c.BackupDir = v; return nil }},
	{"GATEHOUSE_S3_ENDPOINT", "", "Host, or host:port, of an S3-compatible store for backups, instead of a folder.", false, readS3Endpoint},
	{"GATEHOUSE_S3_BUCKET", "", "Bucket for backups. It must exist.", false, func(c *Config, v string) error { c.S3.Bucket = v; return nil }},
	{"GATEHOUSE_S3_PREFIX", "", "What the names of the backups in the bucket begin with, like a folder.", false, func(c *Config, v string) error { c.S3.Prefix = v; return nil }},
	{"GATEHOUSE_S3_REGION", "", "Region of the bucket. Default: the store is asked.", false, func(c *Config, v string) error { c.S3.Region = v; return nil }},
	{"GATEHOUSE_S3_ACCESS_KEY", "", "Access key for the bucket; it must be allowed to read, write, list and delete below the prefix.", false, func(c *Config, v string) error { c.S3.Key = v; return nil }},
	{"GATEHOUSE_S3_SECRET_KEY", "", "Secret key for the bucket.", true, func(c *Config, v string) error { c.S3Secret = Secret(v); return nil }},
	{"GATEHOUSE_S3_TLS", "on", "on or off. Off sends backups unencrypted, for a store on the same machine alone.", false, readS3TLS},
	{"GATEHOUSE_BACKUP_KEEP", "720h", "How long the scheduler keeps the files of backups, at least 24h, or forever. The newest backup and the newest that restores stay in any case.", false, readKeep},
	{"GATEHOUSE_EXTERNAL_DRILL_DAYS", "30", "Within how many days of its registration an external backup has to be restored, 1 to 365; after that it is called overdue.", false, readDrillDays},
	{"GATEHOUSE_AUDIT_HEADS", "", "File to which the head of each audit chain is written after every walk, and against which the chains are held. Keep it where whoever runs the database cannot write.", false, func(c *Config, v string) error { c.AuditHeads = v; return nil }},
	{"GATEHOUSE_SEAL_KEY", "", "Ed25519 private key in PEM (PKCS#8) with which the heads of the audit chains and the dossiers are sealed; `gatehouse audit keygen` makes one. Without it nothing is sealed.", true, readSealKey},
	{"GATEHOUSE_SEAL_TRUSTED", "", "Public keys in PEM, one after the other, whose seals hold as well: those of earlier keys, or on a machine that only checks, of the key in use.", false, readSealTrusted},
	{"GATEHOUSE_SCRATCH_DATABASE_URL", "", "PostgreSQL address of a role that may create databases on the owner's server, for backup drills. Default: the owner.", true, func(c *Config, v string) error { return readDSN(&c.ScratchDatabaseURL, v) }},
	{"GATEHOUSE_LOG", "text", "text or json.", false, readLog},
	{"PG_BINDIR", "", "Folder of PostgreSQL's programs (initdb, postgres, pg_dump). Default: found in the usual places.", false, func(c *Config, v string) error { c.PGBinDir = v; return nil }},
}

// alsoKnown are GATEHOUSE_ variables that commands read by themselves.
var alsoKnown = []string{"GATEHOUSE_TOKEN", "GATEHOUSE_APPLY_TOKEN", "GATEHOUSE_TENANT", "GATEHOUSE_TEST_DATABASE_URL", "GATEHOUSE_FAULT", "GATEHOUSE_ADMIN_DATABASE_URL"}

// Load reads the configuration from an environment, given as os.Environ gives it. Each variable X may stand as X_FILE
// instead, which names a file that holds the value. Every problem is reported at once; secrets are never printed.
func Load(environ []string) (Config, error) {
	set := settings(environ)
	c := Config{wrong: map[string]bool{}}
	var problems []error
	for _, o := range Options {
		value, err := lookUp(set, o)
		if err == nil && value != "" {
			err = o.read(&c, value)
		}
		if err != nil {
			c.wrong[o.Name] = true
			problems = append(problems, fmt.Errorf("%s: %w", o.Name, err))
		}
	}
	problems = append(problems, unknown(set)...)
	if c.DatabaseURL == "" && !c.wrong["GATEHOUSE_DATABASE_URL"] {
		c.DatabaseURL, c.fromPG = databaseOfPG(set)
	}
	if c.PublicURL == nil && c.Addr != "" {
		c.PublicURL = &url.URL{Scheme: "http", Host: c.Addr}
	}
	problems = append(problems, c.backupPlaceProblems()...)
	if c.SessionIdle > c.SessionLifetime {
		problems = append(problems, errors.New("GATEHOUSE_SESSION_IDLE: must not be longer than GATEHOUSE_SESSION_LIFETIME"))
	}
	return c, errors.Join(problems...)
}

// LoadServe is Load for serving. What cannot be read and what is missing is said at once.
func LoadServe(environ []string) (Config, error) {
	c, err := Load(environ)
	return c, errors.Join(err, c.CheckServe())
}

// CheckServe says what is missing for serving; Load accepts less, because commands need less. What is there and cannot be
// read is Load's to say.
func (c Config) CheckServe() error {
	var problems []error
	for name, value := range map[string]string{
		"GATEHOUSE_DATABASE_URL": string(c.DatabaseURL), "GATEHOUSE_OWNER_DATABASE_URL": string(c.OwnerDatabaseURL),
		"GATEHOUSE_OIDC_ISSUER": c.OIDCIssuer, "GATEHOUSE_OIDC_CLIENT_ID": c.OIDCClientID, "GATEHOUSE_OIDC_CLIENT_SECRET": string(c.OIDCClientSecret),
	} {
		if value == "" && !c.wrong[name] {
			problems = append(problems, fmt.Errorf("%s: is not set (nor %s_FILE)", name, name))
		}
	}
	slices.SortFunc(problems, func(a, b error) int { return strings.Compare(a.Error(), b.Error()) })
	if c.Environment == "production" && c.PublicURL != nil && c.PublicURL.Scheme == "http" && !isLoopback(c.PublicURL.Hostname()) {
		problems = append(problems, errors.New("GATEHOUSE_PUBLIC_URL: production must be reached over https; sessions are sent in Secure cookies alone"))
	}
	return errors.Join(problems...)
}

// databaseName is what people have to look at where the application's database is wrong.
func (c Config) databaseName() string {
	if c.fromPG != nil {
		return "The database that " + strings.Join(c.fromPG, ", ") + " name"
	}
	return "GATEHOUSE_DATABASE_URL"
}

// Trail is the audit trail in that database, its heads published as configured.
func (c Config) Trail(db *postgres.DB) postgres.Audit {
	return postgres.Audit{DB: db, Heads: audit.HeadFile{Path: c.AuditHeads}, Keys: c.Keyring()}
}

// Keyring is the key that seals, and all that are trusted.
func (c Config) Keyring() audit.Keyring { return audit.NewKeyring(c.SealKey, c.SealTrusted...) }

// Variable reads one variable that a command reads by itself: as it stands, or from the file that its _FILE twin names.
func Variable(environ []string, name string) (string, error) {
	value, err := lookUp(settings(environ), Option{Name: name})
	if err != nil {
		return "", fmt.Errorf("%s: %w", name, err)
	}
	return value, nil
}

func settings(environ []string) map[string]string {
	set := map[string]string{}
	for _, pair := range environ {
		if name, value, ok := strings.Cut(pair, "="); ok {
			set[name] = value
		}
	}
	return set
}

func lookUp(set map[string]string, o Option) (string, error) {
	value, fromEnv := set[o.Name]
	file, fromFile := set[o.Name+"_FILE"]
	switch {
	case fromEnv && fromFile:
		return "", fmt.Errorf("is set, and so is %s_FILE; keep one", o.Name)
	case fromFile:
		b, err := os.ReadFile(file)
		if err != nil {
			return "", fmt.Errorf("reading the file of %s_FILE: %w", o.Name, err)
		}
		return strings.TrimRight(string(b), "\r\n"), nil
	case fromEnv && value != "":
		return value, nil
	}
	return o.Default, nil
}

func unknown(set map[string]string) []error {
	var problems []error
	for name := range set {
		base := strings.TrimSuffix(name, "_FILE")
		known := slices.Contains(alsoKnown, base) || slices.ContainsFunc(Options, func(o Option) bool { return o.Name == base })
		if strings.HasPrefix(name, "GATEHOUSE_") && !known {
			problems = append(problems, fmt.Errorf("%s: Gatehouse knows no such variable%s; `gatehouse serve --help` lists them", name, meant(name)))
		}
	}
	slices.SortFunc(problems, func(a, b error) int { return strings.Compare(a.Error(), b.Error()) })
	return problems
}

func readAddr(c *Config, v string) error {
	if _, _, err := net.SplitHostPort(v); err != nil {
		return errors.New("must be an address and a port, like 127.0.0.1:8080")
	}
	c.Addr = v
	return nil
}

func readPublicURL(c *Config, v string) error {
	u, err := httpURL(v)
	if err == nil && strings.Trim(u.Path, "/") != "" {
		return errors.New("must be an address without a path, like https://gatehouse.example.com: its cookies are tied to a host name of its own (__Host-), so Gatehouse cannot share one with another site under a path. Give it a name of its own")
	}
	c.PublicURL = u
	return err
}

func readIssuer(c *Config, v string) error {
	_, err := httpURL(v)
	c.OIDCIssuer = v
	return err
}

func readGraphQL(c *Config, v string) error {
	_, err := httpURL(v)
	c.GraphQLURL = v
	return err
}

func httpURL(v string) (*url.URL, error) {
	u, err := url.Parse(v)
	if err != nil || u.Host == "" || (u.Scheme != "http" && u.Scheme != "https") || u.User != nil {
		return nil, errors.New("must be an http or https address")
	}
	return u, nil
}

func readEnvironment(c *Config, v string) error {
	if !slices.Contains([]string{"production", "staging", "demo"}, v) {
		return errors.New("must be production, staging or demo")
	}
	c.Environment = v
	return nil
}

func readDSN(into *Secret, v string) error {
	if !strings.HasPrefix(v, "postgres://") && !strings.HasPrefix(v, "postgresql://") && !strings.Contains(v, "=") {
		return errors.New("must be a PostgreSQL address, like postgres://gatehouse_app@db.example.com/erp")
	}
	*into = Secret(v)
	return nil
}

func readDrillDays(c *Config, v string) error {
	days, err := strconv.Atoi(v)
	if err != nil || days < 1 || days > 365 {
		return errors.New("must be a number of days from 1 to 365")
	}
	c.ExternalDrill = time.Duration(days) * 24 * time.Hour
	return nil
}

func readDuration(into *time.Duration, v string) error {
	d, err := time.ParseDuration(v)
	if err != nil || d < time.Minute {
		return errors.New("must be a time of at least a minute, like 30m or 8h")
	}
	*into = d
	return nil
}

func readProxies(c *Config, v string) error {
	var wrong []string
	for _, part := range strings.Split(v, ",") {
		p, err := netip.ParsePrefix(strings.TrimSpace(part))
		if err != nil {
			wrong = append(wrong, strconv.Quote(strings.TrimSpace(part)))
			continue
		}
		c.TrustedProxies = append(c.TrustedProxies, p)
	}
	if len(wrong) > 0 {
		return fmt.Errorf("not a network like 10.0.0.0/8: %s", strings.Join(wrong, ", "))
	}
	return nil
}

func readS3Endpoint(c *Config, v string) error {
	if strings.Contains(v, "/") {
		return errors.New("must be a host or host:port, like s3.example.com; http or https is said by GATEHOUSE_S3_TLS")
	}
	c.S3.Endpoint = v
	return nil
}

func readKeep(c *Config, v string) error {
	if v == "forever" {
		c.BackupKeep = 0
		return nil
	}
	d, err := time.ParseDuration(v)
	if err != nil || d < backup.ShortestKeep {
		return errors.New("must be a time of at least 24h, like 720h, or forever")
	}
	c.BackupKeep = d
	return nil
}

func readS3TLS(c *Config, v string) error {
	if v != "on" && v != "off" {
		return errors.New("must be on or off")
	}
	c.S3.Plain = v == "off"
	return nil
}

func readSealKey(c *Config, v string) (err error) {
	c.SealKey, err = audit.ParseSealKey(v)
	return err
}

func readSealTrusted(c *Config, v string) (err error) {
	c.SealTrusted, err = audit.ParsePublicKeys(v)
	return err
}

func readLog(c *Config, v string) error {
	if v != "text" && v != "json" {
		return errors.New("must be text or json")
	}
	c.LogJSON = v == "json"
	return nil
}

func isLoopback(host string) bool {
	addr, err := netip.ParseAddr(host)
	return host == "localhost" || (err == nil && addr.IsLoopback())
}
