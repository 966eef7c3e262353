"""What every harvest yields, and the small parts that all routes share. In: facts of one route. Out: records.

A harvest is a stream. What is said of a file comes in this order: the people, their tags, the ``MediaFile`` and last
its ``CampaignFile``: the file's ``revision`` says "its history is read up to here" and its membership "it was read
whole", and a run may be killed between any two records.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from typing import Protocol, TypeVar
from urllib.parse import unquote, urlsplit

from linkeddata.ids import content_id
from linkeddata.pseudonyms import Pseudonyms
from linkeddata.records import Agent, CampaignFile, Failure, MediaFile, Tag

T = TypeVar("T")

Harvested = Agent | MediaFile | Tag | CampaignFile | Failure
"""One record of a harvest."""

Progress = Callable[[str, int, int], None]
"""Told what is being done, how much of it is done and how much there is."""


class GroupRule(Protocol):
    """Makes a file's group of the file, the category it was found in, and who uploaded it, where that is known."""

    def __call__(self, media: MediaFile, category: str, uploader: str = "", /) -> str:
        """Return the group."""


SOURCE_FAILED = "source failed"
"""Reason of the failure that stands for a whole source or document; a harvest that met one is tried again next time."""
LEFT_TO_DO = "left to do, the service asks to wait longer"
"""The same for a source whose service asked to wait longer than the settings' patience."""

LICENCE_HOSTS = ("creativecommons.org", "rightsstatements.org")


def silent(what: str, done: int, total: int) -> None:
    """Progress for those who do not want to hear of it."""


def by_creator(media: MediaFile, category: str, _uploader: str = "", /) -> str:
    """Group by who made it, and by category where that is not known.

    >>> by_creator(MediaFile(iri="x"), "Album A")
    'Album A'
    """
    return media.creator or category


def by_category(_media: MediaFile, category: str, _uploader: str = "", /) -> str:
    """Group by the category a file was found in: a series, an album, a volume."""
    return category


def by_uploader(media: MediaFile, category: str, uploader: str = "", /) -> str:
    """Group by who uploaded it, a pseudonym; as ``by_creator`` does where that is hidden or not known.

    >>> by_uploader(MediaFile(iri="x", creator="Merian"), "Album A", "urn:deboodt:person:0a")
    'urn:deboodt:person:0a'
    """
    return uploader or by_creator(media, category)


UPLOADER = "uploader"
GROUPS: dict[str, GroupRule] = {"creator": by_creator, "category": by_category, UPLOADER: by_uploader}
"""How files can be grouped; a group is never on two sides of a split."""


def lost(subject: str, reason: str, detail: str = "", *, campaign: str = "", step: str = "harvest") -> Failure:
    """Return the failure of one item; met again, it is the same failure.

    >>> lost("all.csv:12", "bad row").id == lost("all.csv:12", "bad row").id
    True
    """
    key = content_id(campaign, step, subject, reason, detail)
    return Failure(id=key, step=step, subject=subject, reason=reason, detail=detail, campaign=campaign)


def membership(campaign: str, file: str) -> CampaignFile:
    """Return the record that puts a file (its IRI) into a campaign."""
    return CampaignFile(id=content_id(campaign, file), campaign=campaign, file=file)


def source_name(source: str) -> str:
    """Return what a CSV is called in failures: the last part of its path or address, the same on every machine.

    >>> source_name("https://isa.toolforge.org/campaigns/165/all_stats_download/Tag%20it_all_stats.csv")
    'Tag it_all_stats.csv'
    """
    return unquote(urlsplit(source).path if "://" in source else source).rpartition("/")[2]


class Roll:
    """The people met in one harvest: each comes into the stream once, before the first tag that names him or her."""

    def __init__(self, pseudonyms: Pseudonyms) -> None:
        self._pseudonyms = pseudonyms
        self._met: dict[str, Agent] = {}

    def id(self, username: str) -> str:
        """Return the agent's id for a user name, ``""`` for no name."""
        if not username.strip():
            return ""
        if username not in self._met:
            self._met[username] = self._pseudonyms.agent(username)
        return self._met[username].id

    def pseudonym(self, username: str) -> str:
        """Return the agent's id for a user who says nothing here, and need not be introduced; ``""`` for no name."""
        return self._pseudonyms.agent(username).id if username.strip() else ""

    def introduce(self, *usernames: str) -> Iterator[Agent]:
        """Yield the agents that have not been met before."""
        for username in usernames:
            if username.strip() and username not in self._met:
                self.id(username)
                yield self._met[username]


def licence_iri(url: str) -> str:
    """Return a licence's address; Creative Commons' and RightsStatements' in the one form that machines compare.

    That form is https, without the page for people behind it, with a slash at the end (NDE, requirements for datasets).
    Other addresses stay as they are; what is no address gives ``""``.

    >>> licence_iri("http://creativecommons.org/licenses/by-sa/4.0/deed.nl")
    'https://creativecommons.org/licenses/by-sa/4.0/'
    >>> licence_iri("//creativecommons.org/publicdomain/zero/1.0"), licence_iri("see the file page")
    ('https://creativecommons.org/publicdomain/zero/1.0/', '')
    >>> licence_iri("http://artlibre.org/licence/lal/en")
    'http://artlibre.org/licence/lal/en'
    """
    address = url.strip()
    if not re.fullmatch(r"(?:https?:)?//[^\s/]+\S*", address):
        return ""
    host, _, path = address.split("//", 1)[1].partition("/")
    host = host.lower().removeprefix("www.")
    if host in LICENCE_HOSTS:
        path = re.sub(r"(?:/(?:deed|legalcode)[^/]*)?/*(?:[?#].*)?$", "", path)
        return f"https://{host}/{path}/"
    return f"https:{address}" if address.startswith("//") else address


def batches(values: Sequence[T], size: int) -> Iterator[Sequence[T]]:
    """Yield ``values`` in pieces of at most ``size``.

    >>> list(batches("abcde", 2))
    ['ab', 'cd', 'e']
    """
    for start in range(0, len(values), size):
        yield values[start : start + size]
