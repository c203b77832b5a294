"""Pages that links in messages open: HTML that runs nothing, loads nothing and is kept by nobody."""

from fastapi.responses import HTMLResponse

from alerts.link_page import link_page

# the address holds a token: no other site may learn it, and no cache keep what it opens
HEADERS = {
    "Cache-Control": "private, no-store",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
SAFE = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"
EMBEDDED_NOWHERE = "base-uri 'none'; frame-ancestors 'none'"


def page(html: str, *, status: int = 200, form: bool = False) -> HTMLResponse:
    """Return *html*; with *form*, what it asks for may be sent back to us, and only to us."""
    target = "'self'" if form else "'none'"
    policy = f"{SAFE}; {EMBEDDED_NOWHERE}; form-action {target}"
    return HTMLResponse(html, status, headers={**HEADERS, "Content-Security-Policy": policy})


def refused(reason: str, *, status: int = 403) -> HTMLResponse:
    """Return that a link opens nothing, and what to do."""
    return page(link_page("This link does not work", reason), status=status)
