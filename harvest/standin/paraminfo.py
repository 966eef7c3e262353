"""What the API says of itself: ``action=paraminfo``, as general clients ask before anything else.

In: the parameters of one request. Out: the modules that the stand-in has, in MediaWiki's words
(https://www.mediawiki.org/wiki/API:Parameter_information): names, prefixes, the values a parameter takes and how many.
"""

from collections.abc import Iterable

from harvest.standin.mediawiki import LISTS, META, MOST, MOST_VALUES, PROPS, Params, Wiki, modern, values
from harvest.standin.saving import CHANGES
from harvest.standin.world import Json

PREFIXES = {
    "allimages": "ai",
    "categories": "cl",
    "categoryinfo": "ci",
    "categorymembers": "cm",
    "imageinfo": "ii",
    "info": "in",
    "logevents": "le",
    "recentchanges": "rc",
    "revisions": "rv",
    "search": "sr",
    "siteinfo": "si",
    "tokens": "",
    "userinfo": "ui",
    "wikibase": "wb",
}
"""What the parameters of a query module begin with."""
LIMITED = frozenset({*LISTS, "categories", "imageinfo", "revisions"})
TAKES = {
    "categorymembers": ("title", "pageid", "type", "namespace", "sort"),
    "imageinfo": ("urlwidth", "extmetadatafilter"),
    "info": ("prop",),
    "revisions": ("prop", "slots", "dir"),
}


def param_info(_wiki: Wiki, params: Params) -> Json:
    """Answer ``action=paraminfo`` for the modules asked for; unknown ones are missing from the answer."""
    modules = [about for path in values(params, "modules") if (about := _module(path, params))]
    return {"paraminfo": {"helpformat": "none", "modules": modules}}


def _module(path: str, params: Params) -> Json:
    name = path.rpartition("+")[2]
    head: Json = {"name": name, "classname": f"Api{name.capitalize()}", "path": path, "group": "action", "prefix": ""}
    if path == "main":
        return head | {"parameters": [_choice("action", ACTIONS), _choice("format", ("json",))]}
    if path == "query":
        parts: dict[str, Iterable[str]] = {"prop": PROPS, "list": LISTS, "meta": {*META, "tokens"}, "generator": LISTS}
        return head | {"parameters": [_several(key, modules, params) for key, modules in parts.items()]}
    if path in ACTIONS:
        posted = {} if path in READING else {"mustbeposted": True if modern(params) else ""}
        return head | posted | {"parameters": []}
    if name not in PREFIXES:
        return {}
    parameters: list[Json] = [{"index": n, "name": key, "type": "string"} for n, key in enumerate(TAKES.get(name, ()))]
    if name == "info":
        several = {"multi": True if modern(params) else "", "limit": MOST_VALUES}
        parameters = [{"index": 0, "name": "prop", "type": ["url"], **several}]
    if name == "tokens":
        parameters = [{"index": 0, "name": "type", "type": ["csrf", "login"], "multi": True if modern(params) else ""}]
    if name in LIMITED:
        most = {"default": 10, "min": 1, "max": MOST, "highmax": 10 * MOST}
        parameters += [{"name": "limit", "type": "limit", **most}, {"name": "continue", "type": "string"}]
    return head | {"group": "query", "prefix": PREFIXES[name], "parameters": parameters}


READING = ("paraminfo", "query", "wbgetclaims", "wbgetentities", "wbsearchentities")
ACTIONS = ("clientlogin", "login", *READING, *CHANGES)


def _choice(name: str, allowed: Iterable[str]) -> Json:
    return {"name": name, "type": list(allowed), "submodules": {one: one for one in allowed}}


def _several(name: str, modules: Iterable[str], params: Params) -> Json:
    allowed = sorted(modules)
    limits = {"limit": MOST_VALUES, "lowlimit": MOST_VALUES, "highlimit": MOST}
    many: Json = {} if name == "generator" else {"multi": True if modern(params) else ""}
    return {
        "name": name,
        "type": allowed,
        "submodules": {one: f"query+{one}" for one in allowed},
        **limits,
        **many,
    }
