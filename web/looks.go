package web

import (
	"context"
	"html"
	"io"

	"github.com/a-h/templ"

	"github.com/agogsaas/gatehouse/templates/layouts"
	"github.com/agogsaas/gatehouse/templates/pages"
)

// The pages of sign-in and refusal, in the frame, as plain sentences and links.

func drawSignIn(v pages.SignInView) templ.Component {
	return plain(v.Shell, "sign_in", v.Refused+" "+v.Away, "Sign in with "+v.Provider, v.LoginHref)
}

func drawFreshSignIn(v pages.FreshSignInView) templ.Component {
	return plain(v.Shell, "fresh_sign_in", v.Why, "Sign in again", v.LoginHref)
}

func drawSignedOut(v pages.SignedOutView) templ.Component {
	return plain(v.Shell, "signed_out", "You are signed out here.", "Sign out at "+v.Provider+" too", v.ProviderLogoutHref)
}

func drawProblem(v pages.ProblemView) templ.Component {
	return plain(v.Shell, "problem", v.What+" "+v.Safe+" "+v.Next, v.Back.Label, v.Back.Href)
}

func plain(shell layouts.Shell, page, text, label, href string) templ.Component {
	content := templ.ComponentFunc(func(_ context.Context, w io.Writer) error {
		_, err := io.WriteString(w, "<p>"+html.EscapeString(text)+"</p><p><a href=\""+html.EscapeString(href)+"\">"+html.EscapeString(label)+"</a></p>")
		return err
	})
	return templ.ComponentFunc(func(ctx context.Context, w io.Writer) error {
		return layouts.Frame(shell, page).Render(templ.WithChildren(ctx, content), w)
	})
}
