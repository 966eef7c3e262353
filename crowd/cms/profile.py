"""A profile: what one collection management system calls things, and how it takes what is imported."""

from dataclasses import dataclass

from crowd.cms.values import Keeping

NOTE = "note"
TAXON_VALUES = ("term", "taxon")
"""Fields of a determination by which a value in the system is recognised as the taxon."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One field of the system that a determination fills."""

    value: str = ""
    """Which field of a determination goes here; empty where ``text`` does."""
    text: str = ""
    """What goes here always, such as a kind of keyword."""
    column: str = ""
    """What the system's own export calls it; empty: it is in no CSV."""
    element: str = ""
    """What adlibXML calls it; empty: it is in no adlibXML."""
    tag: str = ""
    """Two characters, for a tagged file; empty: it is in none."""
    group: str = ""
    """Fields of one group repeat together: the n-th values of all belong to one another. Also adlibXML's element."""
    repeated: bool = True
    """Whether the system keeps several values; one that keeps one is never overwritten."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """A field by which a record is found."""

    column: str
    element: str = ""
    tag: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class CsvRules:
    """How the system wants its CSV."""

    delimiter: str = ";"
    bom: bool = True
    encoding: str = "utf-8"
    names: str = "columns"
    """Which names the header has: ``columns`` as in the export, ``elements`` as in adlibXML."""


@dataclass(frozen=True, slots=True, kw_only=True)
class JoinRules:
    """How a file says which object it shows, besides its inventory number (P217)."""

    title: str = ""
    """Pattern with a group ``object``, looked for in the file's name."""
    description: str = ""
    """The same, looked for in the description of its page."""
    table: str = ""
    """Path of a table with the columns ``file`` (IRI, title or name) and ``object``; its word is the last."""
    many: bool = False
    """Whether several files may show one object."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TermRules:
    """What the museum's thesaurus calls a taxon."""

    pattern: str = "{name}"
    """Made of ``{name}``, ``{vernacular}`` and ``{rank}``; without a vernacular name it is the name alone."""
    language: str = "nl"
    """Of the vernacular name."""
    thesaurus: str = ""
    """Path of a table with ``item``, ``gbif_key`` or ``name``, and ``term`` and perhaps ``number``; goes before."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """What one system calls things. A format that the profile says nothing about is not written."""

    name: str
    title: str
    key: Key
    """By which the import finds the record to update."""
    object_number: Key
    """By which we find it; also the key where there is no export to look another up in."""
    fields: tuple[Field, ...]
    keeping: Keeping
    csv: CsvRules
    adlibxml: bool = False
    tagged: bool = False
    rows: str = "objects"
    """``objects``: one line an object, values repeated in it; ``determinations``: one line each."""
    repeats: str = "append"
    """What an import does with a repeated field: ``append`` to it, or ``replace`` it whole."""
    unverified: bool = False
    """Whether a machine's unverified answers go out, too, marked as such."""
    terms: TermRules = TermRules()
    join: JoinRules = JoinRules()
    folder: str = "."
    """Where relative paths begin."""

    @property
    def columns(self) -> tuple[str, ...]:
        """Return the columns that a determination fills."""
        return tuple(field.column for field in self.fields if field.column)

    @property
    def taxon_columns(self) -> tuple[str, ...]:
        return tuple(field.column for field in self.fields if field.column and field.value in TAXON_VALUES)

    @property
    def note_columns(self) -> tuple[str, ...]:
        return tuple(field.column for field in self.fields if field.column and field.value == NOTE)

    @property
    def id_columns(self) -> tuple[str, ...]:
        return tuple(field.column for field in self.fields if field.column and field.value == "id")

    def groups(self) -> list[tuple[str, list[Field]]]:
        """Return the fields by group, in order; one without a group is a group of its own, called ``""``."""
        found: dict[str, tuple[str, list[Field]]] = {}
        for number, field in enumerate(self.fields):
            place = field.group or f"\0{number}"
            found.setdefault(place, (field.group, []))[1].append(field)
        return list(found.values())
