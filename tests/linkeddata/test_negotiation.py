"""Which form a reader gets for what it says it wants."""

import pytest

from linkeddata.negotiation import HTML, JSON, JSON_LD, N_TRIPLES, TURTLE, preferred, without_suffix

OFFERED = [JSON_LD, JSON, TURTLE, N_TRIPLES, HTML]
FIREFOX = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8"


@pytest.mark.parametrize(
    ("accept", "expected"),
    [
        ("", JSON_LD),
        ("*/*", JSON_LD),
        (FIREFOX, HTML),
        ("application/json", JSON),
        ("text/turtle;q=0.9, application/n-triples", N_TRIPLES),
        ("text/*", TURTLE),
        ("text/*;q=0.5, text/html", HTML),
        ("application/ld+json;q=0, */*;q=0.1", JSON),
        ("application/rdf+xml", ""),
        ("application/rdf+xml, */*;q=0.01", JSON_LD),
        ('application/ld+json; profile="http://www.w3.org/ns/anno.jsonld"', JSON_LD),
        ("TEXT/TURTLE", TURTLE),
        ("text/turtle;q=nonsense", ""),
        ("text/turtle;q=7", ""),
        (" , ,", JSON_LD),
    ],
)
def test_the_heaviest_type_wins_and_the_most_specific_range_weighs_it(accept: str, expected: str) -> None:
    assert preferred(accept, OFFERED) == expected


def test_nothing_is_preferred_of_nothing() -> None:
    assert preferred("*/*", []) == ""


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        ("a.ttl", ("a", TURTLE)),
        ("a.b.html", ("a.b", HTML)),
        ("a.jpg", ("a.jpg", "")),
        (".ttl", (".ttl", "")),
        ("ttl", ("ttl", "")),
    ],
)
def test_only_our_suffixes_are_taken_off(key: str, expected: tuple[str, str]) -> None:
    assert without_suffix(key) == expected
