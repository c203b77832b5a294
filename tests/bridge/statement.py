"""What the bridge must know about a statement: is it one, where does its data begin, in which format is its result."""

import re
from dataclasses import dataclass

MAX_QUERY_BYTES = 262_144  # a server parses no further either (`max_query_size`)
QUOTED = r"""'(?:\\.|''|[^'\\])*'|`(?:\\.|[^`\\])*`|"(?:\\.|[^"\\])*\""""
COMMENT = r"--[^\n]*|/\*.*?\*/"
NOT_CODE = re.compile(f"{QUOTED}|{COMMENT}", re.DOTALL)
INSERT = re.compile(
    rf"""\s*(?P<target>INSERT\s+INTO\s+(?:[\w.]|{QUOTED})+\s*(?:\((?:[^()'`"]|{QUOTED})*\))?)
    (?P<settings>\s*SETTINGS\s(?:{QUOTED}|[^'`"])*?)?
    \s*\bFORMAT\s+(?P<format>(?!Values\b)\w+)[ \t\f]*\r?\n?""".encode(),
    re.DOTALL | re.IGNORECASE | re.VERBOSE,
)
DATA = "/* the file of the data */"
RESULT = re.compile(r"[\s(]*(SELECT|WITH|SHOW|DESC|DESCRIBE|EXISTS|EXPLAIN|CHECK|VALUES)\b", re.IGNORECASE)
FORMAT = re.compile(r"\bFORMAT\s+(\w+)\s*;?\s*$", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Statement:
    """One statement, with the data of an insert apart from it.

    Attributes:
        sql: The text; in that of an insert DATA stands where the name of the data's file goes.
        data: What is inserted, None where the text says everything.
    """

    sql: str
    data: memoryview | None = None

    @property
    def result_format(self) -> str:
        """Return the format that the text asks for, or ""."""
        found = None if self.data is not None else FORMAT.search(NOT_CODE.sub(" ", self.sql))
        return found[1] if found else ""

    @property
    def has_result(self) -> bool:
        return self.data is None and RESULT.match(NOT_CODE.sub(" ", self.sql)) is not None

    @property
    def is_several(self) -> bool:
        return re.search(r";\s*[^\s;]", NOT_CODE.sub(" ", self.sql)) is not None


def parse(text: bytes) -> Statement:
    r"""Return the statement in *text*. The data of an insert begins behind its format and at most one line feed.

    >>> parse(b"INSERT INTO t (a) FORMAT RowBinary  \n\n;").data.tobytes()
    b'\n;'
    >>> parse(b"SELECT ';' -- ;x").is_several, parse(b"SELECT 1; SELECT 2").is_several
    (False, True)
    """
    found = INSERT.match(text[:MAX_QUERY_BYTES])
    if found is None:
        return Statement(text.decode())
    settings = (found["settings"] or b"").decode()
    sql = f"{found['target'].decode()} FROM INFILE '{DATA}'{settings} FORMAT {found['format'].decode()}"
    return Statement(sql, memoryview(text)[found.end() :])
