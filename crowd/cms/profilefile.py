"""Reading a profile. In: one of ours by name, or the path of a museum's own TOML file. Out: a ``Profile``.

What cannot be meant is a ``UsageError`` that names file, table and key.
"""

import re
import tomllib
from collections.abc import Sequence
from importlib.resources import files as resources
from pathlib import Path
from string import Formatter
from typing import Any

from crowd.cms.determinations import FIELDS
from crowd.cms.profile import NOTE, TAXON_VALUES, CsvRules, Field, JoinRules, Key, Profile, TermRules
from crowd.cms.values import Keeping
from linkeddata.errors import UsageError

_ELEMENT = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]*")
_TAG = re.compile(r"[A-Za-z%][A-Za-z0-9_]")
_REPEAT = "$|^¦§¶"
"""Signs that neither our notes nor links need."""


def profile_names() -> tuple[str, ...]:
    """Return the names of the profiles that come with De Boodt."""
    return tuple(
        sorted(p.name.removesuffix(".toml") for p in resources("crowd.profiles").iterdir() if ".toml" in p.name)
    )


def load_profile(name_or_path: str | Path) -> Profile:
    """Return one of our profiles by name, or a TOML file's. Raises ``UsageError`` naming file, table and key."""
    said = str(name_or_path)
    if said in profile_names():
        source = resources("crowd.profiles").joinpath(f"{said}.toml").read_bytes()
        return parse_profile(source, name=said, where=f"profile {said}")
    path = Path(said)
    try:
        source = path.read_bytes()
    except OSError as error:
        known = ", ".join(profile_names())
        raise UsageError(f"no profile {said!r}: known are {known}, or a path to a TOML file") from error
    return parse_profile(source, name=path.stem, where=said, folder=str(path.parent))


def parse_profile(source: bytes, *, name: str, where: str, folder: str = ".") -> Profile:
    """Return the profile in ``source``; ``where`` stands for it in error messages."""
    try:
        raw = tomllib.loads(source.decode("utf-8-sig"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"{where}: {error}") from error
    table = _Table(where, "", raw)
    rows = table.choice("rows", ("objects", "determinations"))
    has_xml, has_tagged = "adlibxml" in raw, "tagged" in raw
    profile = Profile(
        name=name,
        title=table.text("title", name),
        key=_key(table.table("key", needed=True)),
        object_number=_key(table.table("object_number", needed=True)),
        fields=tuple(_field(entry) for entry in table.tables("fields")),
        keeping=_keeping(table.table("values"), rows),
        csv=_csv_rules(table.table("csv", needed=True)),
        adlibxml=has_xml,
        tagged=has_tagged,
        rows=rows,
        repeats=table.choice("repeats", ("append", "replace")),
        unverified=table.flag("unverified", False),
        terms=_term_rules(table.table("taxon")),
        join=_join_rules(table.table("join")),
        folder=folder,
    )
    for empty in ("adlibxml", "tagged"):
        table.table(empty).nothing_else()
    table.nothing_else()
    _check(table, profile)
    return profile


class _Table:
    """A table of a TOML file that knows where it stands, and whether all of it was asked for."""

    def __init__(self, where: str, name: str, raw: dict[str, Any]) -> None:
        self._where = f"{where}: [{name}]" if name else where
        self._file, self._name, self._rest = where, name, dict(raw)

    def text(self, key: str, default: str | None = None) -> str:
        value = self._rest.pop(key, default)
        if not isinstance(value, str):
            raise self.wrong(key, "is missing" if value is None else f"must be text, not {value!r}")
        return value

    def flag(self, key: str, default: bool) -> bool:
        value = self._rest.pop(key, default)
        if not isinstance(value, bool):
            raise self.wrong(key, f"must be true or false, not {value!r}")
        return value

    def choice(self, key: str, known: Sequence[str]) -> str:
        value = self.text(key, known[0])
        if value not in known:
            raise self.wrong(key, f"must be one of {', '.join(known)}, not {value!r}")
        return value

    def table(self, key: str, *, needed: bool = False) -> "_Table":
        value = self._rest.pop(key, None if needed else {})
        if not isinstance(value, dict):
            raise self.wrong(key, "is missing" if value is None else "must be a table")
        return _Table(self._file, f"{self._name}.{key}" if self._name else key, value)

    def tables(self, key: str) -> "list[_Table]":
        value = self._rest.pop(key, None)
        if not isinstance(value, list) or not value or not all(isinstance(entry, dict) for entry in value):
            raise self.wrong(key, f"is missing or no list of tables: write [[{key}]]")
        return [_Table(self._file, f"{key} {number}", entry) for number, entry in enumerate(value, 1)]

    def nothing_else(self) -> None:
        for key in self._rest:
            raise self.wrong(key, "is not a key that means anything")

    def wrong(self, key: str, what: str) -> UsageError:
        return UsageError(f"{self._where} {key} {what}")


def _key(table: _Table) -> Key:
    found = Key(column=table.text("column"), element=_element(table, "element"), tag=_tag(table))
    table.nothing_else()
    return found


def _field(table: _Table) -> Field:
    found = Field(
        value=table.text("value", ""),
        text=table.text("text", ""),
        column=table.text("column", ""),
        element=_element(table, "element"),
        tag=_tag(table),
        group=_element(table, "group"),
        repeated=table.flag("repeated", True),
    )
    table.nothing_else()
    if bool(found.value) == bool(found.text):
        raise table.wrong("value", "or text must be given, and not both")
    if found.value and found.value not in FIELDS:
        raise table.wrong("value", f"= {found.value!r}: there is no such field; known are {', '.join(FIELDS)}")
    if not (found.column or found.element or found.tag):
        raise table.wrong("column", "is missing, and element and tag are, too")
    return found


def _element(table: _Table, key: str) -> str:
    value = table.text(key, "")
    if value and not _ELEMENT.fullmatch(value):
        raise table.wrong(key, f"= {value!r} cannot be the name of an XML element")
    return value


def _tag(table: _Table) -> str:
    value = table.text("tag", "")
    if value and not _TAG.fullmatch(value):
        raise table.wrong("tag", f"= {value!r}: a tag is a letter or % and a letter, digit or _")
    return value


def _keeping(table: _Table, rows: str) -> Keeping:
    repeat, in_text = table.text("repeat", "$" if rows == "objects" else ""), table.text("repeat_in_text", "＄")
    found = Keeping(
        repeat=repeat,
        repeat_in_text=in_text,
        form="NFC" if table.choice("unicode", ("NFC", "NFKC")) == "NFC" else "NFKC",
        ignore_case=table.choice("case", ("ignored", "kept")) == "ignored",
    )
    table.nothing_else()
    if rows == "objects" and (len(repeat) != 1 or repeat not in _REPEAT):
        raise table.wrong("repeat", f"must be one of the signs {' '.join(_REPEAT)}, not {repeat!r}")
    if repeat and repeat in in_text:
        raise table.wrong("repeat_in_text", f"holds the repeat sign {repeat!r} itself")
    if rows == "determinations" and repeat:
        raise table.wrong("repeat", "means nothing where each determination has a line of its own")
    return found


def _csv_rules(table: _Table) -> CsvRules:
    found = CsvRules(
        delimiter=table.text("delimiter", ";"),
        bom=table.flag("bom", True),
        encoding=table.choice("encoding", ("utf-8", "cp1252", "iso-8859-1", "utf-16")),
        names=table.choice("names", ("columns", "elements")),
    )
    table.nothing_else()
    if len(found.delimiter) != 1 or found.delimiter in '"\r\n':
        raise table.wrong("delimiter", f"must be one character, no quote or line end, not {found.delimiter!r}")
    return found


def _term_rules(table: _Table) -> TermRules:
    found = TermRules(
        pattern=table.text("pattern", "{name}"),
        language=table.text("language", "nl"),
        thesaurus=table.text("thesaurus", ""),
    )
    table.nothing_else()
    try:
        asked = {name for _, name, _, _ in Formatter().parse(found.pattern) if name is not None}
    except ValueError as error:
        raise table.wrong("pattern", f"= {found.pattern!r}: {error}") from error
    if not asked or not asked <= {"name", "vernacular", "rank"}:
        raise table.wrong("pattern", f"= {found.pattern!r}: made of {{name}}, {{vernacular}} and {{rank}}")
    return found


def _join_rules(table: _Table) -> JoinRules:
    found = JoinRules(
        title=table.text("title", ""),
        description=table.text("description", ""),
        table=table.text("table", ""),
        many=table.flag("many", False),
    )
    table.nothing_else()
    for key in ("title", "description"):
        if trouble := pattern_trouble(getattr(found, key)):
            raise table.wrong(key, trouble)
    return found


def pattern_trouble(pattern: str) -> str:
    """Return what is wrong with a pattern for object numbers, ``""`` for nothing.

    >>> pattern_trouble("(RP-T-.*)")
    "= '(RP-T-.*)' has no group (?P<object>…)"
    """
    if not pattern:
        return ""
    try:
        return "" if "object" in re.compile(pattern).groupindex else f"= {pattern!r} has no group (?P<object>…)"
    except re.error as error:
        return f"= {pattern!r} is no regular expression: {error}"


def _check(table: _Table, profile: Profile) -> None:
    """Refuse what can be read and cannot be meant."""
    if profile.keeping.repeat == profile.csv.delimiter:
        raise table.wrong("[values] repeat", "is the same as the delimiter")
    if not profile.taxon_columns:
        raise table.wrong("[[fields]]", f"none with a column takes {' or '.join(TAXON_VALUES)}")
    known = [profile.key.column, *profile.columns]
    if profile.object_number.column != profile.key.column:
        known.append(profile.object_number.column)
    for column in known:
        if not column or known.count(column) > 1:
            raise table.wrong("[[fields]]", f"column {column!r} is empty or taken twice")
    if profile.rows == "determinations" and (profile.adlibxml or profile.tagged):
        raise table.wrong("rows", "= 'determinations' goes with CSV alone")
    if profile.rows == "determinations" and profile.repeats == "replace":
        raise table.wrong("repeats", "= 'replace' goes with one line an object alone")
    if profile.rows == "determinations" and not (profile.id_columns or profile.note_columns):
        raise table.wrong(
            "[[fields]]", f"none takes id or {NOTE}: what an import added could not be told from the rest"
        )
    for key, flag, what in (("element", profile.adlibxml, "adlibxml"), ("tag", profile.tagged, "tagged")):
        if flag and not (getattr(profile.key, key) and getattr(profile.object_number, key)):
            raise table.wrong(f"[{what}]", f"needs {key} of [key] and of [object_number]")
        if flag and not any(getattr(field, key) for field in profile.fields):
            raise table.wrong(f"[{what}]", f"needs {key} of at least one of [[fields]]")
    if profile.csv.names == "elements" and not (
        profile.key.element and all(f.element for f in profile.fields if f.column)
    ):
        raise table.wrong("[csv] names", "= 'elements' needs element of [key] and of all [[fields]] with a column")
