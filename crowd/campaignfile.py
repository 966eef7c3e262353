"""The campaign file: one TOML file that says what a campaign asks, counts, learns and gives back.

In: a path. Out: a ``Campaign``, or a ``CampaignError`` that names the file, the table and the key.
"""

import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import MISSING, Field, fields, replace
from datetime import date
from pathlib import Path
from typing import Any, TypeVar

from crowd.campaign import (
    AS_TAGGED,
    LISTS,
    RANKS,
    ROUTES,
    THUMBNAIL_WIDTHS,
    Campaign,
    CommonsRules,
    CommonsSource,
    CountRules,
    DatasetRules,
    DumpSource,
    ExportRules,
    ImageRules,
    IsaSource,
    ListSource,
    ModelRules,
    PublishRules,
    ReviewRules,
    SparqlSource,
)
from linkeddata.errors import CampaignError

Part = TypeVar("Part")


def load_campaign(path: str | Path) -> Campaign:
    """Return the campaign that ``path`` describes. Raises ``CampaignError`` naming file, table and key."""
    source = Path(path)
    try:
        text = source.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise CampaignError(f"{source}: cannot be read: {error}") from error
    return parse_campaign(text, name=str(source), folder=str(source.parent))


def parse_campaign(text: str, *, name: str, folder: str = ".") -> Campaign:
    """Return the campaign in ``text``; ``name`` stands for the file in error messages.

    >>> text = '[campaign]\\nid = "eggs"\\ntitle = "Eggs"\\n[[tags.commons]]\\ncategory = "Eggs of birds"'
    >>> parse_campaign(text, name="eggs.toml").commons[0].category
    'Eggs of birds'
    """
    try:
        raw = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise CampaignError(f"{name}: {error}") from error
    known = {
        "campaign",
        "tags",
        "taxa",
        "images",
        "count",
        "review",
        "dataset",
        "model",
        "publish",
        "commons",
        "export",
    }
    _refuse_unknown(name, "", raw, known)
    head = _table(name, "campaign", raw)
    tags = _table(name, "tags", raw)
    taxa = _table(name, "taxa", raw)
    _refuse_unknown(name, "campaign", head, {"id", "title", "description", "from", "until", "institution", "simulated"})
    _refuse_unknown(name, "tags", tags, {"commons", "isa", "sparql", "dump", *LISTS})
    _refuse_unknown(name, "taxa", taxa, {"root", "list"})
    for key in ("id", "title"):
        if not head.get(key):
            raise CampaignError(f"{name}: [campaign] {key} is missing")
    campaign = Campaign(
        id=_text(name, "campaign", "id", head),
        title=_text(name, "campaign", "title", head),
        description=_text(name, "campaign", "description", head),
        begins=_day(name, "from", head),
        ends=_day(name, "until", head),
        institution=_text(name, "campaign", "institution", head),
        simulated=bool(head.get("simulated", False)),
        root=_text(name, "taxa", "root", taxa),
        taxa=tuple(map(str, taxa.get("list", ()))),
        commons=_parts(name, "tags.commons", tags.get("commons", []), CommonsSource),
        isa=_parts(name, "tags.isa", tags.get("isa", []), IsaSource),
        sparql=_parts(name, "tags.sparql", tags.get("sparql", []), SparqlSource),
        dump=_parts(name, "tags.dump", tags.get("dump", []), DumpSource),
        **{key: _parts(name, f"tags.{key}", tags.get(key, []), kind) for key, kind in LISTS.items()},
        images=_part(name, "images", _table(name, "images", raw), ImageRules),
        count=_part(name, "count", _table(name, "count", raw), CountRules),
        review=_part(name, "review", _table(name, "review", raw), ReviewRules),
        dataset=_part(name, "dataset", _table(name, "dataset", raw), DatasetRules),
        model=_part(name, "model", _table(name, "model", raw), ModelRules),
        publish=_part(name, "publish", _table(name, "publish", raw), PublishRules),
        back=_part(name, "commons", _table(name, "commons", raw), CommonsRules),
        export=_part(name, "export", _table(name, "export", raw), ExportRules),
        folder=folder,
    )
    _check(name, campaign)
    return campaign


def _check(name: str, campaign: Campaign) -> None:
    """Refuse what parses but cannot be meant."""
    if not campaign.id.replace("-", "").replace("_", "").isalnum():
        raise CampaignError(f"{name}: [campaign] id = {campaign.id!r}: letters, digits, - and _ only")
    others = ("isa", "sparql", "dump", *LISTS)
    if not any(getattr(campaign, key) for key in ("commons", *others)):
        known = ", ".join(others)
        raise CampaignError(f"{name}: no source of tags; give at least one [[tags.commons]], {known}")
    if campaign.begins and campaign.ends and campaign.begins > campaign.ends:
        raise CampaignError(f"{name}: [campaign] from {campaign.begins} is after until {campaign.ends}")
    check_dataset(f"{name}: [dataset]", campaign.dataset)
    if campaign.images.width_px not in THUMBNAIL_WIDTHS:
        widths = ", ".join(map(str, THUMBNAIL_WIDTHS))
        raise CampaignError(f"{name}: [images] width_px = {campaign.images.width_px}: one of {widths}")
    for key in ("min_probability", "enough_probability"):
        if not 0 <= getattr(campaign.count, key) <= 1:
            raise CampaignError(f"{name}: [count] {key} = {getattr(campaign.count, key)}: between 0 and 1")
    if campaign.count.min_support < 1:
        raise CampaignError(f"{name}: [count] min_support is at least 1")
    if campaign.review.reviewers not in (1, 2):
        raise CampaignError(f"{name}: [review] reviewers = {campaign.review.reviewers}: 1 or 2")
    _check_back(name, campaign.back)
    if campaign.publish.publisher_kind not in ("Organization", "Person"):
        raise CampaignError(f"{name}: [publish] publisher_kind is Organization or Person")
    for group in campaign.commons:
        if group.role not in ("subject", "stranger") or group.group not in ("creator", "category", "uploader"):
            raise CampaignError(
                f"{name}: [[tags.commons]] role is subject or stranger, group is creator, category or uploader"
            )
        if sum(map(bool, (group.category, group.search, group.uploads, group.files, group.depicts))) != 1:
            known = "category, search, uploads, files and depicts"
            raise CampaignError(f"{name}: [[tags.commons]] give exactly one of {known}")
        if not all(re.fullmatch(r"Q[1-9]\d*", item) for item in group.depicts):
            raise CampaignError(f"{name}: [[tags.commons]] depicts is a list of Q-items: {', '.join(group.depicts)}")
        if not group.category and (group.depth or group.exclude):
            raise CampaignError(f"{name}: [[tags.commons]] depth and exclude belong to a category")
    for via in (*(s.via for s in campaign.commons), *(s.via for s in campaign.sparql)):
        check_routes(f"{name}: via", via)
    for source in campaign.isa:
        if bool(source.csv) == bool(source.number):
            raise CampaignError(f"{name}: [[tags.isa]] give either csv or number")
    for dump in campaign.dump:
        if not dump.files:
            raise CampaignError(f"{name}: [[tags.dump]] files is missing")
        if dump.taxon and dump.taxa:
            raise CampaignError(f"{name}: [[tags.dump]] give taxon or taxa, not both")
    for table in campaign.files:
        _check_list(name, table)


def check_dataset(where: str, rules: DatasetRules) -> None:
    """Raise ``CampaignError`` for rules that cannot be meant; ``where`` begins the message."""
    if rules.rank not in (*RANKS, AS_TAGGED):
        raise CampaignError(f"{where} rank = {rules.rank!r}: one of {', '.join((*RANKS, AS_TAGGED))}")
    if rules.min_images < 1 or rules.min_altogether < 0 or rules.max_images < 0:
        raise CampaignError(f"{where} min_images is at least 1, min_altogether and max_images at least 0")
    if rules.max_images and rules.max_images < max(rules.min_images, rules.min_altogether):
        raise CampaignError(f"{where} max_images = {rules.max_images} is less than a class must have")
    if rules.from_year and rules.until_year and rules.from_year > rules.until_year:
        raise CampaignError(f"{where} from_year {rules.from_year} is after until_year {rules.until_year}")
    if not 0 <= rules.min_probability <= 1:
        raise CampaignError(f"{where} min_probability = {rules.min_probability}: between 0 and 1")
    shares = (rules.test_share, rules.validation_share, rules.known_share)
    if not all(0 <= share < 1 for share in shares) or rules.test_share + rules.validation_share >= 1:
        raise CampaignError(f"{where} shares are between 0 and 1, and leave something for training")
    if set(rules.test_groups) & set(rules.validation_groups):
        raise CampaignError(f"{where} a group cannot be in test_groups and in validation_groups")


def _check_back(name: str, back: CommonsRules) -> None:
    if back.accepted not in ("review", "counted") or back.rank not in ("normal", "tagged"):
        raise CampaignError(f"{name}: [commons] accepted is review or counted, rank is normal or tagged")
    for key in ("method", "stated_in"):
        if not re.fullmatch(r"(Q[1-9]\d*)?", getattr(back, key)):
            raise CampaignError(f"{name}: [commons] {key} = {getattr(back, key)!r}: expected a Q-item")


def with_routes(campaign: Campaign, via: Sequence[str]) -> Campaign:
    """Return the campaign with every source that has a choice of routes asked by ``via``, in this order."""
    check_routes("--via", via)
    commons = tuple(replace(source, via=tuple(via)) for source in campaign.commons)
    return replace(campaign, commons=commons, sparql=tuple(replace(s, via=tuple(via)) for s in campaign.sparql))


def check_routes(where: str, routes: Sequence[str]) -> None:
    """Raise ``CampaignError`` for a route that there is not; ``where`` begins the message."""
    for route in routes:
        if route not in ROUTES:
            raise CampaignError(f"{where}: no route {route!r}; known are {', '.join(ROUTES)}")


def _check_list(name: str, source: ListSource) -> None:
    shape = {"path", "sheet", "separator", "values", "constants", "file", "url"}
    columns = {about.name for about in fields(ListSource)} - shape
    for key, _ in source.constants:
        if key not in columns:
            raise CampaignError(f"{name}: [tags.files] constants {key}: known are {', '.join(sorted(columns))}")
    if not (source.file or source.url):
        raise CampaignError(f"{name}: [[tags.files]] give a column for file or for url")


def _refuse_unknown(name: str, table: str, values: Mapping[str, Any], known: set[str]) -> None:
    for key in values:
        if key not in known:
            where = f"[{table}] {key}" if table else f"[{key}]"
            raise CampaignError(f"{name}: {where} is not known here; known are {', '.join(sorted(known))}")


def _table(name: str, key: str, raw: Mapping[str, Any]) -> Mapping[str, Any]:
    value = raw.get(key, {})
    if not isinstance(value, dict):
        raise CampaignError(f"{name}: {key} must be a table, [{key}]")
    return value


def _text(name: str, table: str, key: str, values: Mapping[str, Any]) -> str:
    value = values.get(key, "")
    if not isinstance(value, str):
        raise CampaignError(f"{name}: [{table}] {key} = {value!r}: expected a text in quotes")
    return value


def _day(name: str, key: str, values: Mapping[str, Any]) -> str:
    value = values.get(key, "")
    if value == "":
        return ""
    if not isinstance(value, date):
        raise CampaignError(f"{name}: [campaign] {key} = {value!r}: expected a date such as 2021-10-01, without quotes")
    return value.isoformat()[:10]


def _parts(name: str, table: str, values: Any, kind: type[Part]) -> tuple[Part, ...]:
    if not isinstance(values, list):
        raise CampaignError(f"{name}: {table} is a list of tables: write [[{table}]]")
    return tuple(_part(name, table, value, kind) for value in values)


def _part(name: str, table: str, values: Mapping[str, Any], kind: type[Part]) -> Part:
    """Build one of the dataclasses above from its table, every value checked against the default's type."""
    known = {f.name: f for f in fields(kind)}  # type: ignore[arg-type]
    _refuse_unknown(name, table, values, set(known))
    for key, about in known.items():
        if about.default is MISSING and about.default_factory is MISSING and key not in values:
            raise CampaignError(f"{name}: [{table}] {key} is missing")
    return kind(**{key: _cast(f"{name}: [{table}] {key}", known[key], value) for key, value in values.items()})


def _cast(where: str, about: "Field[Any]", value: Any) -> Any:
    wanted = str if about.default is MISSING else type(about.default)
    if about.name in ("params", "constants") and isinstance(value, dict):
        return tuple((key, str(entry)) for key, entry in sorted(value.items()))
    if wanted is tuple and isinstance(value, list) and all(isinstance(entry, str) for entry in value):
        return tuple(value)
    if wanted is float and type(value) is int:
        return float(value)
    if type(value) is not wanted or wanted is tuple:
        kind = {"str": "a text", "int": "a whole number", "float": "a number", "bool": "true or false"}
        raise CampaignError(f"{where} = {value!r}: expected {kind.get(wanted.__name__, 'a list of texts')}")
    return value
