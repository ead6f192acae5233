package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"time"
)

// plainClient follows no redirect and keeps no cookie: net/http's jar does not send Secure cookies over plain HTTP, not
// even to loopback, as browsers do. So each is carried by hand.
var plainClient = &http.Client{
	Timeout:       30 * time.Second,
	CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
}

var loginForm = regexp.MustCompile(`name="id" value="([^"]+)"`)

// signIn walks through the provider as a browser does and gives the value of the Cookie header that is signed in.
func signIn(ctx context.Context, public, username, password string) (string, error) {
	cookies := map[string]map[string]string{} // by host
	method, address, body := http.MethodGet, public+"/login?return=/releases", ""
	for range 12 {
		u, err := url.Parse(address)
		if err != nil {
			return "", err
		}
		if u.String() == public+"/releases" {
			return header(cookies[u.Host]), nil
		}
		answer, text, err := step(ctx, method, u, body, cookies)
		if err != nil {
			return "", err
		}
		switch {
		case answer.StatusCode >= 300 && answer.StatusCode < 400:
			to, err := answer.Location()
			if err != nil {
				return "", err
			}
			method, address, body = http.MethodGet, to.String(), ""
		case answer.StatusCode == http.StatusOK && loginForm.MatchString(text):
			form := url.Values{"id": {loginForm.FindStringSubmatch(text)[1]}, "username": {username}, "password": {password}}
			u.RawQuery = ""
			method, address, body = http.MethodPost, u.String(), form.Encode()
		default:
			return "", fmt.Errorf("signing in: %s %s answered %s: %.400s", method, u.Redacted(), answer.Status, text)
		}
	}
	return "", errors.New("signing in: redirected in circles")
}

func step(ctx context.Context, method string, u *url.URL, body string, cookies map[string]map[string]string) (*http.Response, string, error) {
	request, err := http.NewRequestWithContext(ctx, method, u.String(), strings.NewReader(body))
	if err != nil {
		return nil, "", err
	}
	if body != "" {
		request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		request.Header.Set("Origin", u.Scheme+"://"+u.Host)
	}
	if line := header(cookies[u.Host]); line != "" {
		request.Header.Set("Cookie", line)
	}
	answer, err := plainClient.Do(request)
	if err != nil {
		return nil, "", fmt.Errorf("signing in: %w", err)
	}
	text, err := io.ReadAll(answer.Body)
	if err := errors.Join(err, answer.Body.Close()); err != nil {
		return nil, "", fmt.Errorf("signing in: %w", err)
	}
	if cookies[u.Host] == nil {
		cookies[u.Host] = map[string]string{}
	}
	for _, c := range answer.Cookies() {
		if c.MaxAge < 0 || c.Value == "" {
			delete(cookies[u.Host], c.Name)
		} else {
			cookies[u.Host][c.Name] = c.Value
		}
	}
	return answer, string(text), nil
}

func header(cookies map[string]string) string {
	var pairs []string
	for name, value := range cookies {
		pairs = append(pairs, name+"="+value)
	}
	return strings.Join(pairs, "; ")
}

// get asks for an address with a Cookie header.
func get(ctx context.Context, client *http.Client, address, cookie string) (*http.Response, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return nil, err
	}
	request.Header.Set("Cookie", cookie)
	return client.Do(request)
}
