"""Only who chose to be named is named."""

from crowd.credited import credited_people
from linkeddata.records import Agent, Review, Tag
from linkeddata.store import Store


def test_people_are_named_where_they_spoke_as_they_chose() -> None:
    with Store("sqlite://") as store:
        store.put(
            [
                Agent(id="p:named", name="A. de Boodt", homepage="http://www.wikidata.org/entity/Q80"),
                Agent(id="p:orcid", homepage="https://orcid.org/0000-0002-1825-0097"),
                Agent(id="p:nobody"),
                Agent(id="p:elsewhere", name="B. Somebody"),
                Agent(id="bot", kind="SoftwareAgent", name="a bot"),
                *(Tag(id=a, file="f", item="Q1", agent=a, campaign="c") for a in ("p:named", "p:nobody", "bot")),
                Tag(id="other", file="f", item="Q1", agent="p:elsewhere", campaign="d"),
                Review(id="r", target="l", verdict="accept", agent="p:orcid", moment="", campaign="c"),
            ],
            agent="t",
            moment="2026-01-01T00:00:00Z",
        )
        named = ["A. de Boodt (http://www.wikidata.org/entity/Q80)", "https://orcid.org/0000-0002-1825-0097"]
        assert credited_people(store, ["c"]) == named
        assert credited_people(store, ["c", "d"]) == [named[0], "B. Somebody", named[1]]
