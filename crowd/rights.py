"""Who may do what. In: a role, the branches of the tree it holds for, an action, a lineage. Out: yes or no.

Pure. A reviewer is asked about branches only: taxa with all that stands below them. Everybody else's rights hold for
the whole tree.
"""

from collections.abc import Collection
from dataclasses import dataclass

ROLES = ("viewer", "contributor", "reviewer", "curator", "admin")
"""From the fewest rights to the most; each role may all that those before it may."""
ALL = "all"
"""The branch that is the whole tree."""

RIGHTS: dict[str, str] = {
    "see": "viewer",
    "comment": "contributor",
    "identify": "contributor",
    "review": "reviewer",
    "decide": "curator",
    "undo others": "curator",
    "administer": "admin",
}
"""Action → the first role that may do it. ``decide``: settle what reviewers disagree about; ``identify``: have an
answer of a model kept."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Whoever is asking: the account, the agent that stands for it in public, and what it may do."""

    account: str
    agent: str
    role: str
    branches: tuple[str, ...] = ()
    """Of a reviewer: taxa by concept (a Q-id or ``gbif:KEY``), or ``all``."""
    scopes: frozenset[str] | None = None
    """What the token that was shown is good for; ``None``: it was no token, all that the role may."""


def may(person: Person, action: str, lineage: Collection[str] = ()) -> bool:
    """Tell whether the person may do this with what has this lineage: its concept and all concepts above it.

    >>> anna = Person(account="1", agent="a", role="reviewer", branches=("gbif:7017",))
    >>> may(anna, "review", {"Q158603", "gbif:7017", "gbif:797"}), may(anna, "review", {"Q140", "gbif:797"})
    (True, False)
    >>> may(anna, "decide"), may(anna, "see")
    (False, True)
    """
    if person.scopes is not None and action not in person.scopes:
        return False
    if ROLES.index(person.role) < ROLES.index(RIGHTS[action]):
        return False
    if action != "review" or person.role != "reviewer":
        return True
    return ALL in person.branches or not set(person.branches).isdisjoint(lineage)
