"""Queries joined another way give the same rows, and what might not is left alone."""

from collections import Counter

import pyoxigraph as ox
import pytest
from hypothesis import given
from hypothesis import strategies as st

from linkeddata.sparqljoins import FEW, joined

PREFIXES = "PREFIX : <urn:x:> PREFIX ex: <urn:x:>\n"
MANY, RARE = 100 * FEW, FEW // 2

nodes = st.integers(0, 5).map(lambda number: ox.NamedNode(f"urn:x:{number}"))
predicates = st.sampled_from(["p", "q", "r"]).map(lambda name: ox.NamedNode(f"urn:x:{name}"))
graphs = st.lists(st.builds(ox.Quad, nodes, predicates, nodes), max_size=25)
variables = st.sampled_from(["?a", "?b", "?c", "?d"])
paths = st.lists(st.sampled_from([":p", "ex:q", "<urn:x:r>"]), min_size=1, max_size=3).map("/".join)
triples = st.tuples(variables, paths, variables).map(" ".join)
bodies = st.lists(triples, min_size=1, max_size=3).map(" . ".join)
counted = st.fixed_dictionaries({f"urn:x:{name}": st.sampled_from([0, RARE, MANY]) for name in "pqr"})


def rows(store: ox.Store, query: str) -> Counter[tuple[str, ...]]:
    return Counter(tuple(map(str, row)) for row in store.query(query))


@given(graphs, bodies, counted)
def test_the_rows_are_the_same(quads: list[ox.Quad], body: str, counts: dict[str, int]) -> None:
    store = ox.Store()
    store.extend(quads)
    names = sorted({word for word in body.split() if word.startswith("?")})
    for query in (
        f"{PREFIXES}SELECT {' '.join(names)} {{ {body} }} ORDER BY {names[0]}",
        f"{PREFIXES}SELECT {names[-1]} (COUNT(*) AS ?n) WHERE {{ {body} }} GROUP BY {names[-1]}",
        f"{PREFIXES}SELECT (COUNT(DISTINCT {names[0]}) AS ?n) {{ {body} }} HAVING (COUNT(*) > 1)",
    ):
        assert rows(store, joined(query, counts.__getitem__)) == rows(store, query)


@pytest.mark.parametrize(
    "query",
    [
        "SELECT ?a { ?a :p ?b ; :q ?c } LIMIT 10",  # the first ten are there at once
        "SELECT * { ?a :p ?b ; :q ?c } ORDER BY ?a",
        "SELECT (COUNT(*) AS ?n) { ?a :p ?b }",
        "SELECT (COUNT(*) AS ?n) { ?a :p ?b . ?c :q ?d }",  # nothing in common
        "SELECT (COUNT(*) AS ?n) { ?a :p :one ; :q ?c }",
        'SELECT (COUNT(*) AS ?n) { ?a :p "a" ; :q ?c }',
        "SELECT (COUNT(*) AS ?n) { ?a :p* ?b ; :q ?c }",
        "SELECT (COUNT(*) AS ?n) { ?a ^:p ?b ; :q ?c }",
        "SELECT (COUNT(*) AS ?n) { ?a :p ?b ; ?q ?c }",
        "SELECT (COUNT(*) AS ?n) { ?a :p ?a ; :q ?c }",
        "SELECT (COUNT(*) AS ?n) { ?a :p [ :q ?b ] }",
        "SELECT (COUNT(*) AS ?n) { ?a :p ?b ; :q ?c FILTER(?b = ?c) }",
        "SELECT (COUNT(*) AS ?n) { ?a :p ?b OPTIONAL { ?a :q ?c } }",
        "SELECT (COUNT(*) AS ?n) { ?a :p ?b ; none:q ?c }",
        "SELECT (COUNT(*) AS ?n) { ?a :p ?b # }\n ; :q ?c }",
        "SELECT (COUNT(*) AS ?n) { ?a :p ?b ; :q",
        "SELECT (COUNT(*) AS ?n) { ?a :p ; :q ?c }",
        "CONSTRUCT { ?a :p ?b } { ?a :p ?b ; :q ?c } ORDER BY ?a",
    ],
)
def test_what_may_mean_something_else_is_left_alone(query: str) -> None:
    assert joined(PREFIXES + query, lambda _: MANY) == PREFIXES + query


def test_many_are_joined_by_hash_and_few_are_looked_up() -> None:
    query = f"{PREFIXES}SELECT ?c (COUNT(?a) AS ?n) {{ ?a :p/ex:q ?b ; a ?c . }} GROUP BY ?c"
    assert joined(query, lambda _: MANY).count("SELECT") == 4
    whole = "SELECT (COUNT(*) AS ?n) { ?a <urn:x#p>/<urn:x#q> ?b } HAVING (?n < 5)"
    assert joined(whole, lambda _: MANY).count("SELECT") == 3
    rare = joined(query, lambda iri: RARE if iri.endswith("type") else MANY)
    assert rare.count("SELECT") == 1
    assert rare.index("?a a ?c") < rare.index(":p")
