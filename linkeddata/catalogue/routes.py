"""Descriptions over HTTP. In: the parts of all routes, and the holdings. Out: routes.

The catalogue, its datasets and their versions, and campaigns are documents like all others: every form, one URI each.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache
from itertools import islice
from pathlib import Path
from typing import Any

import orjson
from fastapi import APIRouter, Request
from fastapi.responses import FileResponse, PlainTextResponse, RedirectResponse, Response

from linkeddata import conditions, contexts
from linkeddata.catalogue import datasets, wellknown
from linkeddata.catalogue.datasets import Around
from linkeddata.catalogue.described import CONTEXT, Described
from linkeddata.catalogue.documents import campaign_document, catalogue_document, dataset_document, example_document
from linkeddata.catalogue.holdings import Campaign, Holdings, TrainingExample, TrainingSet, TrainingVersion
from linkeddata.dumproutes import dump_files, dump_parts
from linkeddata.negotiation import SUFFIXES, without_suffix
from linkeddata.nodes import Document
from linkeddata.parts import Gone, Page, Parts
from linkeddata.problem import not_found
from linkeddata.records import Label, MediaFile
from linkeddata.responses import described, kept, problems, respond
from linkeddata.withdrawals import tombstone_of, withdrawal

CACHED = "public, max-age=60"
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")

SOME = 3
"""Images of a version that its description leads to."""

Gather = Callable[[], Holdings]
"""Looks up what there is to describe; asked each time, for campaigns come and go."""
Examples = Callable[[TrainingVersion], Mapping[str, TrainingExample]]
"""Gives the images of a version by SHA-1; none of one that is not kept here."""


class Catalogue:
    """Answers with descriptions; the counts in them are asked again only when the store has changed."""

    def __init__(self, parts: Parts, gather: Gather, examples: Examples = lambda version: {}) -> None:
        self._parts = parts
        self._gather = gather
        self.examples = examples
        self._all = lru_cache(1)(lambda state, holdings, days: datasets.all_datasets(self._around(holdings)))

    def around(self) -> Around:
        """Return what descriptions are made of, as it is now."""
        return self._around(self._gather())

    def _around(self, holdings: Holdings) -> Around:
        home = self._parts.settings.home_path / "dumps"
        days = tuple(name for name in dump_parts(home) if _DAY.fullmatch(name))
        return Around(self._parts.store, self._parts.base, holdings, lambda part: dump_files(home / part), days)

    def all(self, around: Around) -> list[Described]:
        """Return every dataset of the catalogue."""
        stamp = (around.days, tuple(one.modified for part in ("whole", *around.days) for one in around.dumps(part)))
        found: list[Described] = self._all(self._parts.store.state(), around.holdings, stamp)
        return found

    def document(self) -> Document:
        """Return the catalogue."""
        around = self.around()
        return catalogue_document(self.all(around), around.holdings, around.base)

    def still_there(self, one: TrainingExample, form: str) -> None:
        """Raise ``Gone`` for an image whose file was withdrawn here, or deleted where it was published."""
        media = self._parts.store.get(MediaFile, one.file)
        stone = withdrawal(media) if media else tombstone_of(self._parts.store, MediaFile, one.file)
        if stone:
            raise Gone(stone, form)

    def answer(
        self, request: Request, doc: Document, page: str, form: str, *, suffixed: bool = True, iri: str = ""
    ) -> Response:
        """Return a description in the form asked for, with links to what describes the whole."""
        shown = Page(page, lambda: {"doc": doc, "embedded": embedded(doc)})
        answer = respond(request, self._parts, doc, page=shown, form=form, caching=CACHED, suffixed=suffixed)
        kind = answer.headers.get("content-type", "").partition(";")[0]
        suffix = next((suffix for suffix, media_type in SUFFIXES.items() if media_type == kind), "")
        if suffix:
            answer.headers["Content-Location"] = f"{iri or doc['id']}.{suffix}"
        links = [answer.headers.get("link", ""), wellknown.links(self._parts.base)]
        answer.headers["Link"] = ", ".join(filter(None, links))
        return answer


def router(catalogue: Catalogue, parts: Parts) -> APIRouter:
    """Return the routes."""
    api = APIRouter(tags=["descriptions"])
    _add_catalogue(api, catalogue)
    _add_published(api, catalogue)
    _add_training(api, catalogue)
    _add_campaigns(api, catalogue)
    _add_entrances(api, catalogue, parts)
    return api


def _add_catalogue(api: APIRouter, catalogue: Catalogue) -> None:
    answers = described("schema.org `DataCatalog` and `dcat:Catalog`, with its datasets.")

    @api.get("/catalogue", summary="The catalogue of datasets", response_class=Response, responses=answers)
    def whole(request: Request) -> Response:
        """All datasets with their distributions: what NDE's Dataset Register and other harvesters read."""
        return catalogue.answer(request, catalogue.document(), "catalogue.html", "")

    @api.get("/catalogue.{suffix}", include_in_schema=False)
    def whole_as(request: Request, suffix: str) -> Response:
        return catalogue.answer(request, catalogue.document(), "catalogue.html", _form(suffix, "catalogue"))


def _add_published(api: APIRouter, catalogue: Catalogue) -> None:
    answers = described("schema.org `Dataset`, `dcat:Dataset` and `void:Dataset`.")

    def shown(request: Request, described_: Described, form: str) -> Response:
        return catalogue.answer(request, dataset_document(described_, catalogue.around().base), "dataset.html", form)

    @api.get("/datasets/published", summary="Everything, as a dataset", response_class=Response, responses=answers)
    def whole(request: Request) -> Response:
        """All that is published here: files, feed, SPARQL endpoint and lists."""
        return shown(request, datasets.whole(catalogue.around()), "")

    @api.get("/datasets/published.{suffix}", include_in_schema=False)
    def whole_as(request: Request, suffix: str) -> Response:
        form = _form(suffix, "datasets/published")
        return shown(request, datasets.whole(catalogue.around()), form)

    @api.get("/datasets/published/{campaign}", summary="A campaign's part", response_class=Response, responses=answers)
    def part(request: Request, campaign: str) -> Response:
        """What is published of one campaign."""
        around = catalogue.around()
        found, form = _campaign(around, campaign)
        return shown(request, datasets.part(around, found), form)

    @api.get("/datasets/daily", summary="Dumps by day", response_class=Response, responses=answers)
    def series(request: Request) -> Response:
        """The series of the dumps of single days."""
        return shown(request, datasets.daily(_with_days(catalogue.around())), "")

    @api.get("/datasets/daily.{suffix}", include_in_schema=False)
    def series_as(request: Request, suffix: str) -> Response:
        form = _form(suffix, "datasets/daily")
        return shown(request, datasets.daily(_with_days(catalogue.around())), form)

    @api.get("/datasets/daily/{day}", summary="The dump of a day", response_class=Response, responses=answers)
    def of_day(request: Request, day: str) -> Response:
        """`day` as 2026-11-02."""
        around = catalogue.around()
        stem, form = without_suffix(day)
        if stem not in around.days:
            raise not_found("dump of the day", day)
        return shown(request, datasets.of_day(around, stem), form)


def _add_training(api: APIRouter, catalogue: Catalogue) -> None:
    answers = described("schema.org `Dataset` and `dcat:Dataset`, with its versions or the version it is of.")
    of_file: dict[int | str, dict[str, Any]] = {
        200: {"description": "The file."},
        206: {"description": "A part of it, as `Range` asks."},
        304: {"description": "Not changed."},
        **problems(404, 410, 412),
    }

    @api.get("/datasets/training/{name}", summary="A training dataset", response_class=Response, responses=answers)
    def training(request: Request, name: str) -> Response:
        """What a campaign's models learn from, or what was built of a query: `NAME` leads to its versions,
        `NAME@VERSION` is one of them."""
        around = catalogue.around()
        stem, form = without_suffix(name)
        key, at, version = stem.partition("@")
        dataset, found = _trained(around, key, version)
        one = datasets.training(around, dataset)
        if at and found:
            some = islice(catalogue.examples(found), SOME)
            one = datasets.training_version(around, dataset, found, list(some))
        return catalogue.answer(request, dataset_document(one, around.base), "dataset.html", form)

    @api.get(
        "/datasets/training/{name}/examples/{sha1}",
        summary="An image of a training dataset",
        response_class=Response,
        responses=described("schema.org `ImageObject`: its file, class, labels, side, licence and credit."),
    )
    def example(request: Request, name: str, sha1: str) -> Response:
        """`name` is `NAME@VERSION`, `sha1` the image's in the manifest. It is tied to the published file and to the
        labels it stands on. An image whose file was withdrawn here is gone."""
        stem, form = without_suffix(sha1)
        around, dataset, version = _version(catalogue, name)
        one = catalogue.examples(version).get(stem)
        if one is None:
            raise not_found("image of a training dataset", f"{name}/{sha1}")
        catalogue.still_there(one, form)
        said = around.store.each(Label, campaign=one.campaign, file=one.file) if one.campaign else ()
        labels = [label.id for label in said if not withdrawal(label)]
        doc = example_document(around, dataset, version, one, labels)
        return catalogue.answer(request, doc, "example.html", form)

    @api.get(
        "/datasets/training/{name}/images/{path:path}",
        summary="The image itself, as it is in a training dataset",
        response_class=Response,
        responses=of_file,
    )
    def image(request: Request, name: str, path: str) -> Response:
        """A copy that carries its credit and licence; `path` is as the manifest has it."""
        _, _, version = _version(catalogue, name)
        sha1 = path.rpartition("/")[2].partition(".")[0]
        one = catalogue.examples(version).get(sha1)
        if one is None or version.folder is None or one.path != f"images/{path}":
            raise not_found("image of a training dataset", f"{name}/{path}")
        catalogue.still_there(one, "")
        return _file(request, version.folder / one.path, f"{version.name}-{sha1}", one.media_type)

    @api.get(
        "/datasets/training/{name}/{file}",
        summary="A file of a training dataset",
        response_class=Response,
        responses=of_file,
    )
    def file(request: Request, name: str, file: str) -> Response:
        """`name` is `NAME@VERSION`; a version never changes. Parts are given by `Range`."""
        _, _, version = _version(catalogue, name)
        one = next((one for one in version.files if one.name == file), None)
        if one is None:
            raise not_found("file of a training dataset", f"{name}/{file}")
        return _file(request, one.path, one.sha256, one.media_type)


def _file(request: Request, path: Path, tag: str, media_type: str) -> Response:
    headers = {"ETag": f'"{tag}"', "Cache-Control": "no-cache"}
    if status := conditions.answered(request.headers, headers["ETag"]):
        return Response(status_code=status, headers=headers)
    return FileResponse(path, media_type=media_type, headers=headers)


def _add_campaigns(api: APIRouter, catalogue: Catalogue) -> None:
    answers = described("schema.org `Event` and `prov:Activity`.")

    @api.get("/campaigns/{name}", summary="A campaign", response_class=Response, responses=answers)
    def campaign(request: Request, name: str) -> Response:
        """What was asked, when and for whom, and the datasets that came of it."""
        around = catalogue.around()
        found, form = _campaign(around, name)
        return catalogue.answer(request, campaign_document(around, found), "campaign.html", form)


def _add_entrances(api: APIRouter, catalogue: Catalogue, parts: Parts) -> None:
    base = parts.base

    @api.get("/.well-known/void", summary="To the descriptions (VoID)", response_class=Response, status_code=303)
    def void() -> Response:
        """Leads to the catalogue, which describes every dataset here."""
        return RedirectResponse(f"{base}/catalogue", 303)

    @api.get("/.well-known/api-catalog", summary="The interfaces (RFC 9727)", response_class=Response)
    def interfaces(request: Request) -> Response:
        """A link set of what can be called here, with its OpenAPI, documentation and health."""
        media_type = f'{wellknown.LINKSET}; profile="{wellknown.API_CATALOG_PROFILE}"'
        answer = kept(request, orjson.dumps(wellknown.api_catalog(base)), media_type)
        answer.headers["Link"] = f'<{base}/.well-known/api-catalog>; rel="api-catalog"; type="{wellknown.LINKSET}"'
        return answer

    @api.get("/robots.txt", include_in_schema=False)
    def robots() -> Response:
        return PlainTextResponse(wellknown.robots(base))

    @api.get("/sitemap.xml", include_in_schema=False)
    def sitemap() -> Response:
        around = catalogue.around()
        pages = [f"{base}/", f"{base}/catalogue", *_pages(around), f"{base}/models", f"{base}/docs", f"{base}/vocab"]
        return Response(wellknown.sitemap(pages), media_type="application/xml")


def _pages(around: Around) -> Iterable[str]:
    """Yield the pages of all descriptions, which say in JSON-LD what they are."""
    yield datasets.published_iri(around.base)
    for campaign in around.holdings.campaigns:
        yield datasets.campaign_iri(around.base, campaign.id)
        yield datasets.published_iri(around.base, campaign.id)
    for dataset in around.holdings.training_sets:
        yield datasets.training_iri(around.base, dataset.id)
        yield from (datasets.training_iri(around.base, dataset.id, one.name) for one in dataset.versions)
    if around.days:
        yield f"{around.base}/datasets/daily"
        yield from (f"{around.base}/datasets/daily/{day}" for day in around.days)


def _form(suffix: str, stem: str) -> str:
    if suffix not in SUFFIXES:
        raise not_found("document", f"{stem}.{suffix}")
    return SUFFIXES[suffix]


def _campaign(around: Around, name: str) -> tuple[Campaign, str]:
    stem, form = without_suffix(name)
    found = around.holdings.campaign(name) or around.holdings.campaign(stem)
    if found is None:
        raise not_found("campaign", name)
    return found, form


def _trained(around: Around, key: str, version: str) -> tuple[TrainingSet, TrainingVersion | None]:
    """Return a training dataset and a version of it. Raises ``Problem`` 404."""
    dataset = next((one for one in around.holdings.training_sets if one.id == key), None)
    if dataset is None:
        raise not_found("training dataset", key)
    found = next((one for one in dataset.versions if version and version in (one.name, one.sha256)), None)
    if version and found is None:
        raise not_found("version of a training dataset", f"{key}@{version}")
    return dataset, found


def _version(catalogue: Catalogue, name: str) -> tuple[Around, TrainingSet, TrainingVersion]:
    """Return what ``NAME@VERSION`` names. Raises ``Problem`` 404."""
    around = catalogue.around()
    key, _, version = name.partition("@")
    dataset, found = _trained(around, key, version)
    if found is None:
        raise not_found("version of a training dataset", name)
    return around, dataset, found


def _with_days(around: Around) -> Around:
    if not around.days:
        raise not_found("dump of a day", "any")
    return around


def embedded(doc: Document) -> str:
    """Return a description as JSON-LD for the inside of a page: nothing in it can end the element it stands in.

    >>> "</" in embedded({"id": "x", "name": {"en": "</script>"}})
    False
    """
    inline = contexts.profile_context(CONTEXT)
    return (
        orjson.dumps({**inline, **{key: said for key, said in doc.items() if key != "@context"}})
        .decode()
        .replace("<", "\\u003c")
    )
