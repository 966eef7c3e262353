"""Counting many files at once says what counting each by itself says."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crowd.believed import Believed
from crowd.chains import chains_of
from crowd.consensus import METHODS, Rules, rows_of
from crowd.labelcolumns import Row
from crowd.lineage import ancestry, representatives, tree_of
from crowd.poll import poll_of
from crowd.roll import Reading
from linkeddata.records import Ancestor, Tag, Taxon

TAXA: dict[str, Taxon] = {}
for _family, _genera in {"F": "GH", "E": "KL"}.items():
    TAXA[_family] = Taxon(query=_family, concept=_family, name=_family, rank="family")
    for _genus in _genera:
        _above = (Ancestor("family", _family),)
        TAXA[_genus] = Taxon(query=_genus, concept=_genus, name=_genus, rank="genus", lineage=_above)
        for _end in "ab":
            _name = f"{_genus}{_end}"
            _lineage = (*_above, Ancestor("genus", _genus))
            TAXA[_name] = Taxon(query=_name, concept=_name, name=_name, rank="species", lineage=_lineage)
TAXA["La"] = replace(TAXA["La"], lineage=(Ancestor("genus", "L"), Ancestor("genus", "G")))
"""Of this one classifications disagree: neither G nor L has the other above it."""

_acts = st.builds(
    lambda file, agent, item, more: Tag(id="", file=file, item=item, agent=agent, moment="2021-10-03", **more),
    st.sampled_from(["f1", "f2", "f3", "f4"]),
    st.sampled_from(["", *"abcde"]),
    st.sampled_from(sorted(TAXA)),
    st.sampled_from(
        [{}] * 8
        + [
            {"withdrawn": "2021-10-04", "withdrawn_by": "b"},
            {"withdrawn": "2021-10-02"},
            {"tool": "computer-aided-tagging"},
        ]
    ),
)


def both_ways(tags: list[Tag], rules: Rules) -> tuple[list[Row], list[Row]]:
    reading = Reading(TAXA)
    assert not list(reading.take(tags))
    best = representatives(TAXA.values(), reading.concepts)
    above, tree = ancestry(best), tree_of(best)
    roll = reading.roll(chains_of(above))
    believed = []
    if rules.method != "majority":
        for machine in (False, True):
            poll = poll_of(roll, tree, above, {}, with_machine=machine)
            believed.append(Believed(poll, METHODS[rules.method](poll)))
    told: Any = [list(rows_of(roll, tree, above, rules, believed, plainly=plainly)) for plainly in (False, True)]
    return told[0], told[1]


@pytest.mark.parametrize("method", ["tree", "majority"])
@settings(deadline=None)  # the machine may be busy
@given(tags=st.lists(_acts, max_size=30), least=st.integers(1, 3))
def test_columns_say_the_same(method: str, tags: list[Tag], least: int) -> None:
    columns, plainly = both_ways(tags, Rules(method=method, min_support=least))
    assert [(row.file, row.concept) for row in columns] == [(row.file, row.concept) for row in plainly]
    for one, other in zip(columns, plainly, strict=True):
        assert one.probability == pytest.approx(other.probability, abs=1e-9)
        assert one._replace(probability=0.0) == other._replace(probability=0.0)
