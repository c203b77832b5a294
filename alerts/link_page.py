"""The small page behind a link in a message: what was done, or one button that does it."""

from functools import cache

from jinja2 import Environment, PackageLoader, StrictUndefined, Template

from alerts.safe_text import shortened

LONGEST = 600  # characters of each text


def link_page(title: str, text: str, *, button: str = "", token: str = "") -> str:
    """Return a page that says *text*, with a *button* that posts *token* to the page's own address, if there is one.

    Nothing happens by opening the page: scanners of mail open every link.
    """
    return _template().render(
        title=shortened(title, LONGEST), text=shortened(text, LONGEST), button=button, token=token
    )


@cache
def _template() -> Template:
    environment = Environment(loader=PackageLoader("alerts"), autoescape=True, undefined=StrictUndefined)
    return environment.get_template("link.html.j2")
