"""What a keeper says of a model, beside its bundles: ``models/NAME/model.toml``. In: that file. Out: ``Terms``.

::

    restricted = true                # described to everybody, answers whoever has a token for it
    use_policy = "Not for …"         # shown with the model
    contact = "collection@museum.example"

    [notes]                          # release notes by version
    2 = "Forty more series of eggs."

A file that cannot be read closes the model: who meant to restrict it must not find it open for a misplaced quote.
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

FILE = "model.toml"
KEYS = frozenset({"restricted", "use_policy", "contact", "notes"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """On what terms a model answers. ``trouble`` says what is wrong with the file, ``""`` where nothing is."""

    restricted: bool = False
    use_policy: str = ""
    contact: str = ""
    notes: tuple[tuple[str, str], ...] = ()
    trouble: str = ""

    def note(self, version: str) -> str:
        """Return the release note of a version."""
        return dict(self.notes).get(version, "")


def terms_of(models: Path, name: str) -> Terms:
    """Return the terms of the model ``name`` in the folder ``models``; anybody may ask where there is no file."""
    path = models / name / FILE
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return Terms()
    except (OSError, ValueError) as error:
        return Terms(restricted=True, trouble=f"{FILE}: {error}")
    return read_terms(content)


def read_terms(content: Mapping[str, Any]) -> Terms:
    """Return what a file says; with ``trouble``, and closed, where it says it in words that are not known.

    >>> read_terms({"restricted": "perhaps"}).restricted, read_terms({"restrict": True}).restricted
    (True, True)
    """
    texts = {key: content.get(key, "") for key in ("use_policy", "contact")}
    notes = content.get("notes", {})
    restricted = content.get("restricted", False)
    told = [f"{key} is not known" for key in content if key not in KEYS] + [
        f"{key} is no text" for key, value in texts.items() if not isinstance(value, str)
    ]
    if not isinstance(restricted, bool):
        told.append("restricted is neither true nor false")
    if not isinstance(notes, dict) or not all(isinstance(text, str) for text in notes.values()):
        told.append("notes are not texts by version")
    if told:
        return Terms(restricted=True, trouble=f"{FILE}: {'; '.join(told)}")
    return Terms(restricted=restricted, notes=tuple(sorted(notes.items())), **texts)
