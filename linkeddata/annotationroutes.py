"""What was said of pictures, one by one, over HTTP. In: the parts of all routes. Out: routes of annotations."""

from dataclasses import replace
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import Response

from linkeddata import documents, iris, jsonld
from linkeddata.inprofiles import Asked, AsProfile, Loss, labelled, others, unsayable, wanted
from linkeddata.nodes import Document
from linkeddata.parts import Page, Parts, found, picture
from linkeddata.profiles import PROFILES, Said, UnsayableError, loss_document
from linkeddata.profiles.labels import SaidOfLabel
from linkeddata.records import Identification, Label, MediaFile, Review
from linkeddata.responses import Context, described, respond
from linkeddata.selection import Place, Selection, page_of
from linkeddata.uris import uri_of

_AS_USUAL = Asked()


def router(parts: Parts) -> APIRouter:
    """Return the routes of identifications and labels."""
    api = APIRouter(tags=["documents"])

    @api.get(
        "/identifications/{key:path}",
        summary="One identification",
        response_class=Response,
        responses=described("A W3C Web Annotation, motivation *identifying*, with Darwin Core terms.", _example()),
    )
    def identification(
        request: Request, key: str, context: Context = "link", profile: AsProfile = "", loss: Loss = False
    ) -> Response:
        """What the picture shows, who or what said so, by which model and weights, how certain, what else it might be.

        `decision` is `identified` or `unknown`; an unknown one has no `body`. In a browser: picture beside answer.
        `profile` says the same in the words of another model; `loss=1` tells what that model has no words for.
        """
        return identified(request, parts, key, Asked("", context, profile, loss))

    @api.get(
        "/labels/{key:path}",
        summary="One label: what people's tags add up to",
        response_class=Response,
        responses=described("A W3C Web Annotation, motivation *tagging*."),
    )
    def label(
        request: Request, key: str, context: Context = "link", profile: AsProfile = "", loss: Loss = False
    ) -> Response:
        """How many people supported the tag, how many dissented, and what counting made of it.

        `profile` and `loss` are as of identifications.
        """
        record, form = found(parts, Label, key, "label")
        said = documents.said_of_label(parts.store, record, parts.base, parts.settings.handle_prefix)
        return _in_profile(request, parts, said, Asked(form, context, profile, loss))

    return api


def identified(request: Request, parts: Parts, key: str, asked: Asked = _AS_USUAL) -> Response:
    """Return the identification with this key, which may have a suffix; raises ``Problem``."""
    record, form = found(parts, Identification, key, "identification")
    said = documents.said_of(parts.store, record, parts.base, parts.settings.handle_prefix)
    return _in_profile(request, parts, said, replace(asked, form=form) if form else asked)


def _in_profile(request: Request, parts: Parts, said: Said, asked: Asked) -> Response:
    """Return the identification or label as its reader wants it, with links to its other profiles.

    Raises ``Problem`` 406 for a profile that is not known, or that demands what is not known.
    """
    profile = wanted(request, asked)
    small = picture(parts, said.media, 250) if profile.pictured else ""
    said = replace(said, thumbnail=parts.base + small) if small else said
    try:
        doc = loss_document(profile, said) if asked.loss else profile.document(said)
    except UnsayableError as error:
        raise unsayable(error) from error
    record = said.of if isinstance(said, SaidOfLabel) else said.identification
    template = "label.html" if isinstance(said, SaidOfLabel) else "identification.html"
    page = None if asked.loss else Page(template, lambda: _around(parts, record, said))
    answer = respond(request, parts, doc, page=page, form=asked.form, context=asked.context, suffixed=not asked.loss)
    answer = labelled(answer, uri_of(type(record), record.id, parts.base), profile, asked)
    answer.headers["Link"] = ", ".join([answer.headers["Link"], *_later(parts, said)])
    return answer


def _later(parts: Parts, said: Said) -> list[str]:
    """Return links to the answer that took the place of this one, and to the last that did (RFC 5829)."""
    if not said.replaced_by:
        return []
    latest = documents.latest_of(parts.store, said.replaced_by)
    places = {"successor-version": said.replaced_by, "latest-version": latest}
    return [f'<{iris.uri(parts.base, "identifications", key)}>; rel="{name}"' for name, key in places.items()]


def _around(parts: Parts, record: Identification | Label, said: Said) -> dict[str, Any]:
    """Return what the page of an identification or a label shows."""
    media = parts.store.get(MediaFile, record.file)
    return {
        "record": record,
        "doc": said.annotation(),
        "profiles": others(said, {one.name: one.document for one in PROFILES.values()}),
        "media": media,
        "picture": picture(parts, media, 960),
        "taxon": documents.taxon_of(parts.store, record.item, record.gbif_key),
        "identifications": parts.store.page(Identification, file=record.file, limit=20),
        "reviews": page_of(parts.store, Review, Selection(equals={"target": record.id}), Place(), 20),
        "labels": parts.store.page(Label, file=record.file, limit=20),
    }


def _example() -> Document:
    answer = Identification(
        id="3f6c0c1e2d9b4a7f8e5d6c7b",
        file="https://commons.wikimedia.org/entity/M103381688",
        model="papillotten",
        version="1",
        label="Vanessa cardui",
        rank="species",
        item="Q158603",
        gbif_key="4299368",
        certainty=0.87,
        rule="R2",
        moment="2026-11-02T10:00:00Z",
    )
    return jsonld.document(answer, base_url="https://deboodt.example")
