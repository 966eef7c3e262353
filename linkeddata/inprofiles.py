"""One document in several profiles over HTTP. In: how a reader asks, and what is said. Out: answers, their headers.

What a profile cannot say is refused with 406, which names the profiles that can; ``loss=1`` asks what it leaves out.
"""

from collections.abc import Callable, Collection, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import Query, Request
from fastapi.responses import Response

from linkeddata.contexts import ContextForm
from linkeddata.negotiation import HTML, JSON_LD, SUFFIXES, asked_profile
from linkeddata.nodes import Document
from linkeddata.parts import Page, Parts
from linkeddata.problem import Problem
from linkeddata.profiles import PROFILES, Profile, Sayable, UnsayableError, loss_document
from linkeddata.responses import respond

AsProfile = Annotated[str, Query(description=f"How to say it: one of {', '.join(PROFILES)}.")]
Loss = Annotated[bool, Query(description="Instead of the document: what the profile cannot say of this one.")]
_IRI = "\0"
_SUFFIX_OF = {media_type: suffix for suffix, media_type in SUFFIXES.items()}


@dataclass(frozen=True, slots=True)
class Asked:
    """How a reader wants a document: the form by suffix, the context, the profile by parameter, or its loss."""

    form: str = ""
    context: ContextForm = "link"
    profile: str = ""
    loss: bool = False


def wanted(request: Request, asked: Asked, among: Collection[str] = PROFILES.keys()) -> Profile:
    """Return the profile that is asked for by name or URI, the default for none.

    Raises ``Problem`` 406 for one that is not known, or is none of ``among``.
    """
    name = asked.profile or asked_profile(request.headers.get("accept", ""))
    for one in PROFILES.values():
        if name in ("", one.name, one.uri):
            if one.name not in among:
                what = f"{one.title} ({one.name}) has no words for this; there are {', '.join(among)}."
                raise Problem(406, "Not sayable in this profile", what, {"Vary": "Accept"})
            return one
    raise Problem(406, "Unknown profile", f"{name!r} is none of {', '.join(among)}.", {"Vary": "Accept"})


def said_in(
    request: Request,
    parts: Parts,
    said: Sayable,
    makers: Mapping[str, Callable[[Any], Document]],
    asked: Asked,
    page: Page,
) -> Response:
    """Return what is said in the profile that is asked for, of those that ``makers`` make. Raises ``Problem`` 406."""
    profile = wanted(request, asked, makers)
    try:
        doc = loss_document(profile, said) if asked.loss else makers[profile.name](said)
    except UnsayableError as error:
        raise unsayable(error) from error
    shown = None if asked.loss else page
    answer = respond(request, parts, doc, page=shown, form=asked.form, context=asked.context, suffixed=not asked.loss)
    return labelled(answer, said.address(), profile, asked, makers)


def others(said: Any, makers: Mapping[str, Callable[[Any], Document]]) -> list[str]:
    """Return the profiles beside the default that can say this, for pages to lead to."""
    found = []
    for name, made in makers.items():
        with suppress(UnsayableError):
            made(said)
            found.append(name)
    return [name for name in found if name != "anno"]


def unsayable(error: UnsayableError) -> Problem:
    """Return the problem of a profile that demands what is not known."""
    return Problem(406, "Not sayable in this profile", f"{error}.", {"Vary": "Accept"})


def labelled(
    answer: Response, iri: str, profile: Profile, asked: Asked, among: Collection[str] = PROFILES.keys()
) -> Response:
    """Return an answer with its own address and with links to the profiles that the document has."""
    kind = answer.headers.get("content-type", "").partition(";")[0]
    if suffix := _SUFFIX_OF.get(kind, ""):
        query = {"profile": profile.name} if profile.name != "anno" and kind != HTML else {}
        query |= {"context": asked.context} if asked.context != "link" else {}
        query |= {"loss": "1"} if asked.loss else {}
        answer.headers["Content-Location"] = f"{iri}.{suffix}" + (f"?{urlencode(query)}" if query else "")
    links = [answer.headers.get("link", ""), _links(profile.name, kind, tuple(among)).replace(_IRI, iri)]
    answer.headers["Link"] = ", ".join(filter(None, links))
    return answer


@lru_cache(64)
def _links(name: str, kind: str, among: tuple[str, ...]) -> str:
    """Return links to the profile that an answer of this media type has, and to the others, ``_IRI`` for its IRI."""
    conforms = [f'<{PROFILES[name].uri}>; rel="profile"'] if kind != HTML else []
    others = [
        f'<{_IRI}.jsonld?profile={one}>; rel="alternate"; type="{JSON_LD}"; profile="{PROFILES[one].uri}"'
        for one in among
        if one != name
    ]
    return ", ".join(conforms + others)
