"""The pages of the broker: without scripts, and with nothing in them that did not go through `html.escape`."""

import base64
import hashlib
import html

STYLE = """
:root { color-scheme: light dark; --ink: #1b1f24; --paper: #fff; --line: #6e7781; --mark: #0550ae; --bad: #a40e26 }
@media (prefers-color-scheme: dark) { :root { --ink: #e6edf3; --paper: #14181d; --line: #8b949e; --mark: #79b8ff; --bad: #ff9a9a } }
body { margin: 0; font: 1rem/1.5 system-ui, sans-serif; color: var(--ink); background: var(--paper) }
main { max-width: 24rem; margin: 10vh auto; padding: 0 1rem }
label { display: block; margin-top: 1rem }
input, select { box-sizing: border-box; width: 100%; padding: .5rem; font: inherit; color: inherit; background: inherit;
  border: 1px solid var(--line); border-radius: .25rem }
button { margin-top: 1.5rem; padding: .5rem 1.5rem; font: inherit; color: var(--paper); background: var(--mark); border: 0;
  border-radius: .25rem }
:focus-visible { outline: 3px solid var(--mark); outline-offset: 2px }
[role=alert] { padding-left: .75rem; border-left: 4px solid var(--bad) }
"""
STYLE_HASH = base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()

WRONG = "Name or password is wrong."
TOO_MANY = "Too many attempts. Wait a little, then try again."
TOO_OLD = "This page was open for too long. Try again."
NO_ACCESS = "Your name and password are right, but none of your groups has access. Ask whoever looks after the groups."
NOT_THAT = "Your name and password are right, but your groups do not make you that."
WHICH = "You may be one of these. Choose one, and give your password once more."
LATER = "Signing in is not possible at the moment. Try again later."
BAD_REQUEST = "This request is not one that the sign-in page makes."
NOT_FOUND = "There is nothing here."


def headers(console):
    """What every answer has. Browsers hold a form's redirect to `form-action` too, so the console stands there."""
    allowed = f"default-src 'none'; style-src 'sha256-{STYLE_HASH}'; form-action 'self' {console}"
    allowed += "; base-uri 'none'; frame-ancestors 'none'"
    return {
        "Content-Security-Policy": allowed,
        # Not `no-referrer`: with that, browsers say `Origin: null` of our own form.
        "Referrer-Policy": "same-origin",
        "X-Content-Type-Options": "nosniff",
        "X-Frame-Options": "DENY",
        "Cache-Control": "no-store",
    }


def page(title, inner):
    return (
        f'<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n<title>{html.escape(title)}</title>\n'
        f'<meta name="viewport" content="width=device-width, initial-scale=1">\n<style>{STYLE}</style>\n</head>\n'
        f"<body>\n<main>\n<h1>{html.escape(title)}</h1>\n{inner}</main>\n</body>\n</html>\n"
    )


def form(token, destination, said=None, titles=()):
    """The sign-in page. What was typed never comes back: the page is the same for every name."""
    fields = f'<input type="hidden" name="form" value="{html.escape(token)}">\n'
    fields += f'<input type="hidden" name="next" value="{html.escape(destination)}">\n'
    fields += '<label for="username">Name</label>\n'
    fields += '<input id="username" name="username" autocomplete="username" autocapitalize="none" spellcheck="false" required>\n'
    fields += '<label for="password">Password</label>\n'
    fields += '<input id="password" name="password" type="password" autocomplete="current-password" required>\n'
    if titles:
        fields += f'<label for="as">As</label>\n<select id="as" name="as">\n{options(titles)}</select>\n'
    else:
        fields += '<label for="as">As (a role of yours; usually empty)</label>\n<input id="as" name="as" autocomplete="off">\n'
    alert = f'<p role="alert">{html.escape(said)}</p>\n' if said else ""
    return page("Sign in", f'{alert}<form method="post" action="/">\n{fields}<button>Sign in</button>\n</form>\n')


def options(titles):
    return "".join(f'<option value="{html.escape(title)}">{html.escape(title)}</option>\n' for title in titles)


def notice(said):
    return page("Sign in", f'<p role="alert">{html.escape(said)}</p>\n<p><a href="/">To the sign-in page</a></p>\n')
