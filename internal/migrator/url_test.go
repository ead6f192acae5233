package migrator_test

import (
	"net/url"
	"strings"
)

// as is the same database with another role.
func as(superURL, role string) (string, error) {
	u, err := url.Parse(superURL)
	if err != nil {
		return "", err
	}
	if q := u.Query(); q.Has("user") {
		q.Set("user", role)
		u.RawQuery = q.Encode()
		return u.String(), nil
	}
	return strings.Replace(superURL, "://"+u.User.String()+"@", "://"+role+"@", 1), nil
}
