"""The page about counting: every number of its example comes out of the code."""

from pathlib import Path

from crowd.agreement import alpha
from crowd.asking import expected_change
from crowd.consensus import Rules, count_tags
from linkeddata.records import Ancestor, Label, Tag, Taxon

PAGE = (Path(__file__).resolve().parents[2] / "docs/crowd.md").read_text(encoding="utf-8")
_VANESSA = (Ancestor("family", "Nymphalidae"), Ancestor("genus", "Vanessa"))
TAXA = {
    "cardui": Taxon(query="cardui", concept="Q1", name="Vanessa cardui", rank="species", lineage=_VANESSA),
    "atalanta": Taxon(query="atalanta", concept="Q2", name="Vanessa atalanta", rank="species", lineage=_VANESSA),
    "Vanessa": Taxon(query="Vanessa", concept="Q3", name="Vanessa", rank="genus", lineage=_VANESSA[:1]),
    "paris": Taxon(
        query="paris", concept="Q4", name="Papilio paris", rank="species", lineage=(Ancestor("family", "Papilionidae"),)
    ),
}


def test_heads_probability_and_change() -> None:
    votes = {"a": "cardui", "b": "cardui", "c": "cardui", "d": "Vanessa", "e": "atalanta", "f": "paris"}
    tags = [Tag(id=who, file="plate", verbatim=name, agent=who) for who, name in votes.items()]
    found = count_tags(tags, TAXA, campaign="c", moment="", rules=Rules(method="majority"))
    label = next(x for x in found if isinstance(x, Label) and x.name == "Vanessa cardui")
    assert (label.support, label.dissent, label.status) == (4, 2, "accepted")
    assert "support 4" in PAGE
    assert label.probability == 0.625
    assert "5 / 8 = 0.625" in PAGE
    assert f"= {expected_change(0.625):.3f}" in PAGE
    assert f"½: {expected_change(0.5)}" in PAGE
    assert f"p = 0.95: {expected_change(0.95):.3f}" in PAGE


def test_alpha() -> None:
    found = alpha([{1: 2}, {2: 2}, {1: 1, 2: 1}, {1: 2}])
    assert f"= {found:.3f}" in PAGE


def test_odds_of_those_who_know() -> None:
    odds = [((1 + k) / 2) / (1 - (1 + k) / 2) for k in (0.9, 0.5, 0.0)]
    assert [round(one, 6) for one in odds] == [19.0, 3.0, 1.0]
    assert f"= {odds[0] / (odds[0] + odds[1] * odds[2]):.3f}" in PAGE
