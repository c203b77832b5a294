"""One OpenSLO document: its head, its metadata, and the shelf on which others find it by kind and name."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from slo.errors import DocumentError
from slo.yaml_value import YamlFields, YamlValue

API_VERSION: Final = "openslo/v1"
DNS_LABEL: Final = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
KINDS: Final = ("DataSource", "Service", "SLI", "SLO", "AlertPolicy", "AlertCondition", "AlertNotificationTarget")

_LONGEST_TITLE: Final = 63
_LONGEST_DESCRIPTION: Final = 1050
_KEY_NAME: Final = r"[a-zA-Z0-9]([-._a-zA-Z0-9]{0,61}[a-zA-Z0-9])?"
_LABEL_KEY: Final = re.compile(_KEY_NAME)
_ANNOTATION_KEY: Final = re.compile(rf"([a-z0-9][-a-z0-9]*(\.[a-z0-9][-a-z0-9]*)*/)?{_KEY_NAME}")


@dataclass(frozen=True, slots=True)
class Metadata:
    """What a document or an inline object says about itself."""

    name: YamlValue
    title: str
    annotations: dict[str, YamlValue]


@dataclass(frozen=True, slots=True)
class Document:
    """One document of a known kind, not interpreted further."""

    kind: str
    metadata: Metadata
    spec: YamlValue
    whole: YamlValue

    @property
    def name(self) -> str:
        return self.metadata.name.text()

    @property
    def place(self) -> str:
        """The file and line to send a reader to."""
        return f"{self.whole.source.file}:{self.metadata.name.line}"

    def same_name(self, first: "Document") -> DocumentError:
        """Return what to say where *first* has this document's kind and name already."""
        return self.metadata.name.error(
            f"{self.kind} {self.name!r} is defined already in {first.place}; give this one another name"
        )


def read_document(value: YamlValue) -> Document:
    """Return the document that *value* is.

    Raises:
        DocumentError: it is none of OpenSLO v1, or lacks its name or spec.
    """
    fields = value.fields(("apiVersion", "kind", "metadata", "spec"))
    version = fields.require("apiVersion", API_VERSION)
    if version.text() != API_VERSION:
        raise version.error(f"not supported yet: apiVersion {version.text()!r}; write {API_VERSION}")
    kind_value = fields.require("kind", "SLO")
    kind = kind_value.choice(KINDS)
    if kind is None:
        raise kind_value.error(f"kind {kind_value.text()!r} is not known; write one of {', '.join(KINDS)}")
    metadata = read_metadata(fields.require("metadata", "{name: checkout-availability}"), is_id=kind == "SLO")
    spec = fields.get("spec")
    if spec is None and kind != "Service":
        raise value.error(f"spec is missing; write what the {kind} is")
    return Document(kind, metadata, spec or value.empty_mapping("spec"), value)


def read_metadata(value: YamlValue, *, is_id: bool = False) -> Metadata:
    """Return the metadata of a document or of an inline object; odd names and keys are deviations.

    Raises:
        DocumentError: the name is missing, or odd where it *is_id* of objectives, or a field has the wrong type.
    """
    fields = value.fields(("name", "displayName", "labels", "annotations"))
    name = fields.require("name", "checkout-availability")
    if DNS_LABEL.fullmatch(name.text()) is None:
        remedy = slug(name.text())[:63].strip("-") or "checkout-availability"
        reason = f"name {name.text()!r} must be a lower-case DNS label of up to 63 characters; write {remedy}"
        if is_id:
            raise name.error(reason)
        name.deviate(reason)
    title = fields.get("displayName")
    if title is not None and len(title.text(empty=True)) > _LONGEST_TITLE:
        title.deviate(f"displayName has {len(title.text())} characters; {_LONGEST_TITLE} are allowed")
    labels, annotations = fields.get("labels"), fields.get("annotations")
    if labels is not None:
        _check_labels(labels.fields(None))
    found = {} if annotations is None else annotations.fields(None).values
    for key, annotation in found.items():
        if _ANNOTATION_KEY.fullmatch(key) is None:
            annotation.deviate(f"annotation {key!r} must be a name, or a DNS domain, a slash and a name")
        if annotation.scalar() and not annotation.is_text:
            annotation.deviate(f'an annotation is text; write "{annotation.scalar()}"')
    return Metadata(name, fields.text("displayName"), found)


def read_description(fields: YamlFields) -> str:
    """Return the `description` of a spec, "" where there is none."""
    value = fields.get("description")
    if value is None:
        return ""
    text = value.text(empty=True)
    if len(text) > _LONGEST_DESCRIPTION:
        value.deviate(f"description has {len(text)} characters; {_LONGEST_DESCRIPTION} are allowed")
    return text


def _check_labels(labels: YamlFields) -> None:
    for key, label in labels.values.items():
        if _LABEL_KEY.fullmatch(key) is None:
            label.deviate(f"label {key!r} must be letters, digits, '-', '_' and '.', up to 63 of them")
        for value in label.items() if label.is_list else [label]:
            if not value.is_text:
                value.deviate("the value of a label is text, or a list of texts")


def slug(text: str) -> str:
    """Return *text* in lower case, with a dash for everything but letters and digits.

    >>> slug("Gold Tier")
    'gold-tier'
    """
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")


class Shelf:
    """The documents of all files by kind and name."""

    def __init__(self) -> None:
        self._documents: dict[tuple[str, str], Document] = {}

    def put(self, document: Document) -> None:
        """Keep *document*; a service may be described twice, which is a deviation.

        Raises:
            DocumentError: another of that kind and name is there already.
        """
        first = self._documents.setdefault((document.kind, document.name), document)
        if first is document:
            return
        error = document.same_name(first)
        if document.kind != "Service":
            raise error
        document.metadata.name.deviate(str(error))

    def find(self, kind: str, reference: YamlValue) -> Document:
        """Return the document of *kind* that *reference* names.

        Raises:
            DocumentError: there is none, or it has an error itself.
        """
        found = self._documents.get((kind, reference.text()))
        if found is None:
            raise reference.error(self._missing(kind, reference))
        if found.whole.source.refused:
            raise reference.error(f"{kind} {reference.text()!r} has an error of its own, see {found.place}")
        return found

    def find_unused(self, kind: str, reference: YamlValue) -> Document | None:
        """Return the document of *kind* that *reference* names; that there is none is a deviation, as nothing needs it.

        Raises:
            DocumentError: it has an error itself.
        """
        if (kind, reference.text()) in self._documents:
            return self.find(kind, reference)
        reference.deviate(self._missing(kind, reference))
        return None

    def _missing(self, kind: str, reference: YamlValue) -> str:
        known = ", ".join(sorted(name for of, name in self._documents if of == kind)) or "none"
        return f"there is no {kind} {reference.text()!r}; {kind} documents read: {known}"

    def of(self, kind: str) -> Iterable[Document]:
        return [document for (of, _), document in self._documents.items() if of == kind]
