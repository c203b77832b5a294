"""A message in words: Jinja2 templates of this package, or files of the same name that replace them."""

import logging
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final, get_args

from jinja2 import BaseLoader, ChoiceLoader, FileSystemLoader, PrefixLoader, StrictUndefined, TemplateSyntaxError
from jinja2.sandbox import SandboxedEnvironment
from markupsafe import Markup

from alerts.escaping import ESCAPES, Format, link
from alerts.facts import MessageFacts, facts_of
from alerts.message import Message
from alerts.plain_text import one_line
from alerts.sample_message import sample_messages

log = logging.getLogger(__name__)

FORMATS: Final[tuple[Format, ...]] = get_args(Format)
TITLE_LIMIT: Final = 300
_TITLE: Final = "title"
_SUFFIX: Final = ".j2"
_BUILT_IN: Final = Path(__file__).parent / "templates"


@dataclass(frozen=True, slots=True)
class TemplateProblem:
    """What is wrong with a template of the operator's; `line` counts from 1, 0 where no line is to blame."""

    file: Path
    line: int
    reason: str

    def __str__(self) -> str:
        place = f"{self.file}, line {self.line}" if self.line else str(self.file)
        return f"template {place}: {self.reason}; the built-in template is used instead"


class Renderer:
    """Renders messages. *templates* is a folder whose files replace the built-in ones of the same name.

    A template that raises costs nobody a message: the built-in one is rendered, and the problem is logged.
    """

    def __init__(self, templates: Path | None = None) -> None:
        self._folder = templates
        built_in = FileSystemLoader(_BUILT_IN)
        self._built_in = _environments(built_in)
        own = built_in if templates is None else ChoiceLoader([FileSystemLoader(templates), built_in])
        # an own template may build on ours: {% extends "builtin/html.j2" %}
        self._own = _environments(ChoiceLoader([own, PrefixLoader({"builtin": built_in})]))

    def title(self, message: Message) -> str:
        """Return one line that says it all, plain: whoever puts it into markup escapes it."""
        return self._rendered_title(facts_of(message))

    def body(self, message: Message, form: Format) -> str:
        """Return the whole message in the language *form*; not cut to any medium's limit."""
        facts = facts_of(message)
        return self._render(form, form, facts, self._rendered_title(facts))

    def problems(self) -> list[TemplateProblem]:
        """Return what is wrong with the operator's templates, tried on samples: for who writes them."""
        if self._folder is None:
            return []
        if not self._folder.is_dir():
            return [TemplateProblem(self._folder, 0, "there is no such folder; make it, or leave `templates` out")]
        known = {f"{name}{_SUFFIX}": name for name in (_TITLE, *FORMATS)}
        found = []
        for file in sorted(self._folder.iterdir()):
            name = known.get(file.name)
            if name is None and file.suffix == _SUFFIX and not file.name.startswith("_"):
                words = f"no template has this name; known are {', '.join(known)} (parts of your own start with _)"
                found.append(TemplateProblem(file, 0, words))
            elif name is not None:
                found += self._tried(name)
        return found

    def _tried(self, name: str) -> list[TemplateProblem]:
        """Return the first problem of the template *name*."""
        samples = (facts_of(message) for message in sample_messages())
        outcomes = (self._attempt(name, _form(name), facts, "title") for facts in samples)
        return [outcome for outcome in outcomes if isinstance(outcome, TemplateProblem)][:1]

    def _rendered_title(self, facts: MessageFacts) -> str:
        return one_line(self._render(_TITLE, "text", facts, ""), TITLE_LIMIT)

    def _render(self, name: str, form: Format, facts: MessageFacts, title: str) -> str:
        if self._folder is not None and (self._folder / f"{name}{_SUFFIX}").exists():
            outcome = self._attempt(name, form, facts, title)
            if isinstance(outcome, str):
                return outcome
            log.error("%s", outcome)
        return _tidy(self._built_in[form].get_template(f"{name}{_SUFFIX}").render(message=facts, title=title))

    def _attempt(self, name: str, form: Format, facts: MessageFacts, title: str) -> str | TemplateProblem:
        file = (self._folder or _BUILT_IN) / f"{name}{_SUFFIX}"
        try:
            text = _tidy(self._own[form].get_template(file.name).render(message=facts, title=title))
        except Exception as error:  # noqa: BLE001 - a template of someone else's may raise anything
            return _problem(file, error)
        return text or TemplateProblem(file, 0, "it renders to nothing")


def _form(name: str) -> Format:
    return next((form for form in FORMATS if form == name), "text")


def _environments(loader: BaseLoader) -> dict[Format, SandboxedEnvironment]:
    return {form: _environment(form, loader) for form in FORMATS}


def _environment(form: Format, loader: BaseLoader) -> SandboxedEnvironment:
    """Return the environment whose every value is escaped for *form*, unless it is marked as escaped already."""
    environment = SandboxedEnvironment(
        loader=loader,
        autoescape=True,  # with `finalize` every value is marked, so that Jinja's own HTML escape finds nothing to do
        finalize=_escaping(ESCAPES[form]),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals["link"] = lambda title, url: Markup(link(form, str(title), str(url)))  # noqa: S704 - escaped
    return environment


def _escaping(escape: Callable[[str], str]) -> Callable[[object], Markup]:
    def finalize(value: object) -> Markup:
        return value if isinstance(value, Markup) else Markup(escape(str(value)))  # noqa: S704 - escaped here

    return finalize


def _tidy(text: str) -> str:
    """Return *text* without blanks at ends of lines, and without more than two empty lines in a row."""
    lines = [line.rstrip() for line in text.splitlines()]
    kept: list[str] = []
    for line in lines:
        if line or (kept and kept[-2:] != ["", ""]):
            kept.append(line)
    return "\n".join(kept).strip()


def _problem(file: Path, error: Exception) -> TemplateProblem:
    reason = one_line(f"{type(error).__name__}: {error}", 300)
    if isinstance(error, TemplateSyntaxError):
        return TemplateProblem(Path(error.filename or file), error.lineno, reason)
    # Jinja rewrites tracebacks so that frames of a template carry its own file and line
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename.endswith(_SUFFIX)]
    return (
        TemplateProblem(Path(frames[-1].filename), frames[-1].lineno or 0, reason)
        if frames
        else TemplateProblem(file, 0, reason)
    )
