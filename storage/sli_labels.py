"""Groups of an SLI: the labels of a span as SQL, and the text that a group is stored under."""

import json
from collections.abc import Collection, Sequence

OTHER = "__other__"
MOST_GROUPS = 200

# attributes that a span's row holds in a column of its own: reading it costs a hundredth of reading all attributes
COLUMNS = {
    "http.route": "http_route",
    "service.name": "service",
    "service.version": "version",
    "deployment.environment.name": "environment",
    "name": "name",
    "kind": "kind",
    "status": "status",
}


def group_text(names: Sequence[str], labels: Sequence[str]) -> str:
    """Return the one text of a group: a JSON object with sorted keys.

    >>> group_text(["a", "http.route"], ["", "/žluť"])
    '{"a":"","http.route":"/žluť"}'
    """
    named = dict(zip(names, labels, strict=True))
    return json.dumps(named, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


class LabelSql:
    """Makes labels of spans: values of attributes as text, "" where there is none.

    A span's own attribute goes before that of its resource, as in predicates.

    Args:
        services: Whose resources are looked up.
    """

    def __init__(self, services: Collection[str]) -> None:
        self.parameters: dict[str, object] = {"label_services": sorted(services)} if services else {}

    def labels(self, names: Sequence[str]) -> str:
        """Return an Array(String) expression over a row of spans, one element a name."""
        return "[" + ", ".join(self._label(name) for name in names) + "]"

    def _label(self, name: str) -> str:
        if name in COLUMNS:
            return f"toString({COLUMNS[name]})"
        if name == "error":
            return "if(error, 'true', 'false')"
        parameter = f"label{len(self.parameters)}"
        self.parameters[parameter] = name
        key = f"{{{parameter}:String}}"
        own = f"if(mapContains(attributes, {key}), otlp_text(attributes[{key}]), {self._resource(key)})"
        return f"toValidUTF8({own})"

    @staticmethod
    def _resource(key: str) -> str:
        # transform() looks the origin up in constant arrays; it wants at least one element in them
        texts = (
            f"SELECT origin_id, any(otlp_text(attributes[{key}])) AS text FROM origins"  # noqa: S608 -- parameters only
            f" WHERE service IN {{label_services:Array(String)}} AND mapContains(attributes, {key}) GROUP BY origin_id"
            " UNION ALL SELECT toUInt64(0) AS origin_id, '' AS text"
        )
        found = f"(SELECT (groupArray(origin_id), groupArray(text)) FROM ({texts}))"  # noqa: S608 -- as above
        return f"transform(origin_id, {found}.1, {found}.2, '')"
