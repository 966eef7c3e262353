"""Who wants to be named for what he or she said. In: a store. Out: people with a name, an ORCID or an item.

Whoever chose none of these is a pseudonym, and is in no list of people.
"""

from collections.abc import Collection

from linkeddata.records import Agent, Review, Tag
from linkeddata.store import Store


def credit_line(person: Agent) -> str:
    """Return how somebody wants to be named, ``""`` for a pseudonym.

    >>> credit_line(Agent(id="p", name="Anselmus de Boodt", homepage="http://www.wikidata.org/entity/Q80"))
    'Anselmus de Boodt (http://www.wikidata.org/entity/Q80)'
    >>> credit_line(Agent(id="p", homepage="https://orcid.org/0000-0002-1825-0097")), credit_line(Agent(id="p"))
    ('https://orcid.org/0000-0002-1825-0097', '')
    """
    if person.name and person.homepage:
        return f"{person.name} ({person.homepage})"
    return person.name or person.homepage


def credited_people(store: Store, campaigns: Collection[str]) -> list[str]:
    """Return how those who tagged or reviewed in these campaigns want to be named, sorted; pseudonyms are left out."""
    spoke = {
        agent
        for campaign in campaigns
        for kind in (Tag, Review)
        for agent in store.distinct(kind, "agent", campaign=campaign)
    }
    known = (store.get(Agent, agent) for agent in sorted(spoke))
    return sorted({line for one in known if one is not None and one.kind == "Person" and (line := credit_line(one))})
