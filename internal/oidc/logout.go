package oidc

import (
	"context"

	"github.com/agogsaas/gatehouse/internal/fault"
)

// LoggedOut checks a back-channel logout token and gives the provider session that has ended. A token that names no
// session (sid) is refused: at this provider's registration, sessions have to be asked for.
func (p *Provider) LoggedOut(ctx context.Context, logoutToken string) (string, error) {
	if logoutToken == "" {
		return "", fault.New(fault.Invalid, "There is no logout token.")
	}
	d, err := p.discover(ctx)
	if err != nil {
		return "", err
	}
	ctx, failure := expectFailure(ctx)
	token, err := d.verifier.VerifyLogout(ctx, logoutToken)
	now := p.config.Now()
	switch {
	case *failure != nil:
		return "", away(*failure)
	case err != nil:
		return "", fault.New(fault.Invalid, "The logout token is not valid.").Because(err)
	case token.IssuedAt.IsZero() || token.IssuedAt.Sub(now).Abs() > freshWithin:
		return "", fault.New(fault.Invalid, "The logout token was not made just now.")
	case now.After(token.Expiry.Add(leeway)):
		return "", fault.New(fault.Invalid, "The logout token has expired.")
	case token.SessionID == "":
		return "", fault.New(fault.Invalid, "The logout token names no session.")
	}
	return token.SessionID, nil
}
