"""Rights: every role, every action, inside and outside a reviewer's branches, with and without a token's scopes."""

import pytest

from crowd.rights import ALL, RIGHTS, ROLES, Person, may

MOTH = frozenset({"Q1", "gbif:1", "gbif:7017", "gbif:797"})
"""Lineage of a moth: itself by both its names, its family, its order."""

TABLE = {
    # action: viewer, contributor, reviewer inside, reviewer outside, reviewer of all, curator, admin
    "see": (1, 1, 1, 1, 1, 1, 1),
    "comment": (0, 1, 1, 1, 1, 1, 1),
    "identify": (0, 1, 1, 1, 1, 1, 1),
    "review": (0, 0, 1, 0, 1, 1, 1),
    "decide": (0, 0, 0, 0, 0, 1, 1),
    "undo others": (0, 0, 0, 0, 0, 1, 1),
    "administer": (0, 0, 0, 0, 0, 0, 1),
}
PEOPLE = (
    ("viewer", ()),
    ("contributor", ()),
    ("reviewer", ("Q99", "gbif:7017")),
    ("reviewer", ("gbif:7018",)),
    ("reviewer", (ALL,)),
    ("curator", ()),
    ("admin", ()),
)


def person(role: str, branches: tuple[str, ...] = (), scopes: frozenset[str] | None = None) -> Person:
    return Person(account="1", agent="a", role=role, branches=branches, scopes=scopes)


def test_the_table_is_whole() -> None:
    assert TABLE.keys() == RIGHTS.keys()
    assert {role for role, _ in PEOPLE} == set(ROLES)


@pytest.mark.parametrize("action", RIGHTS)
@pytest.mark.parametrize("number", range(len(PEOPLE)))
def test_who_may_do_what_where(action: str, number: int) -> None:
    role, branches = PEOPLE[number]
    allowed = bool(TABLE[action][number])
    assert may(person(role, branches), action, MOTH) is allowed
    assert may(person(role, branches, frozenset({action})), action, MOTH) is allowed, "its token is good for this"
    others = frozenset(RIGHTS) - {action}
    assert not may(person(role, branches, others), action, MOTH), "its token is good for all else"


def test_a_reviewer_of_a_branch_has_no_say_about_what_has_no_taxon() -> None:
    assert not may(person("reviewer", ("gbif:7017",)), "review", ())
    assert may(person("reviewer", (ALL,)), "review", ())
    assert not may(person("reviewer", ()), "review", MOTH)
