"""The MediaWiki Action API, ``action=query``: category members, pages, image information, histories, search.

In: a ``Wiki`` and the parameters of one request. Out: a ``Reply`` as MediaWiki 1.43 words it, formatversion 1 or 2.
Checked field for field against recorded exchanges (``tests/harvest/standin/test_mediawiki.py``).
"""

import json
from bisect import bisect_left
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from harvest.standin.exchange import JSON_TYPE, Reply, json_reply
from harvest.standin.index import Index, Member, Searchable, image_path, url_path
from harvest.standin.world import Deletion, Entity, File, Item, Json, Move, Revision

Params = Mapping[str, str]
STANDARD_WIDTHS = (20, 40, 60, 120, 250, 330, 500, 960, 1280, 1920, 3840)
"""Thumbnail widths that Wikimedia still makes, in px (https://www.mediawiki.org/wiki/Common_thumbnail_sizes)."""
MOST = 500
MOST_VALUES = 50
MOST_HITS = 10_000
"""Results that one search gives (https://www.mediawiki.org/wiki/Help:CirrusSearch)."""

_HEADERS = {
    "Content-Type": JSON_TYPE,
    "Vary": "Accept-Encoding, Treat-as-Untrusted, Cookie",
    "Cache-Control": "private, must-revalidate, max-age=0",
}
_HIDDEN = frozenset(
    {"DateTime", "CommonsMetadataExtension", "Categories", "Assessments", "LicenseShortName"}
    | {"AttributionRequired", "Copyrighted", "Restrictions", "License"}
)
_SOURCES = {
    "DateTime": "mediawiki-metadata",
    "ObjectName": "mediawiki-metadata",
    "CommonsMetadataExtension": "extension",
    "Categories": "commons-categories",
    "Assessments": "commons-categories",
    "License": "commons-templates",
}


@dataclass(frozen=True, slots=True)
class Wiki:
    """One of the two wikis: what it holds and the addresses it gives out."""

    index: Index
    site: str  # commons, wikidata
    base: str  # http://127.0.0.1:8080, or …/wikidata
    images: str  # http://127.0.0.1:8080/images

    @property
    def api(self) -> str:
        """Address of the API, as error texts quote it."""
        return f"{self.base}/w/api.php"


class ApiError(Exception):
    """An error in MediaWiki's words; becomes ``{"error": …}`` with status 200."""

    def __init__(self, code: str, info: str, headers: Params | None = None, **fields: Any) -> None:
        super().__init__(info)
        self.code = code
        self.info = info
        self.fields = fields
        self.headers = dict(headers or {})


Action = Callable[[Wiki, Params], Json]


def answer(wiki: Wiki, params: Params, actions: Mapping[str, Action]) -> Reply:
    """Return what ``api.php`` says to ``params``; ``actions`` names what it can do."""
    try:
        if params.get("maxlag", "1").lstrip().startswith("-"):  # the documented way to ask for the error
            raise maxlag(0)
        name = params.get("action", "help")
        if name not in actions:
            raise ApiError("badvalue", f'Unrecognized value for parameter "action": {name}.')
        payload = actions[name](wiki, params)
    except ApiError as error:
        return error_reply(wiki, params, error)
    return json_reply(payload, headers=_HEADERS)


def error_reply(wiki: Wiki, params: Params, error: ApiError) -> Reply:
    """Return ``error`` as the API words it."""
    usage = (
        f"See {wiki.api} for API usage. Subscribe to the mediawiki-api-announce mailing list at "
        "&lt;https://lists.wikimedia.org/postorius/lists/mediawiki-api-announce.lists.wikimedia.org/&gt; "
        "for notice of API deprecations and breaking changes."
    )
    body: Json = {"code": error.code, "info": error.info, **error.fields}
    body["docref" if modern(params) else "*"] = usage
    headers = {"MediaWiki-API-Error": error.code, **error.headers, "Cache-Control": _HEADERS["Cache-Control"]}
    return json_reply({"error": body}, headers=headers)


def maxlag(lag_s: int) -> ApiError:
    """Return the error of a lagged database, with ``Retry-After: 5`` whatever the lag."""
    headers = {"Retry-After": "5", "X-Database-Lag": str(lag_s)}
    info = f"Waiting for a database server: {lag_s} seconds lagged."
    return ApiError("maxlag", info, headers, host="standin", lag=lag_s, type="db")


def ratelimited() -> ApiError:
    """Return the error of a client that asked too much."""
    return ApiError("ratelimited", "You've exceeded your rate limit. Please wait some time and try again.")


def conflict() -> ApiError:
    """Return the error of an edit that could not be joined with somebody else's."""
    return ApiError("editconflict", "Edit conflict: Someone else has changed this page since you started editing it.")


def modern(params: Params) -> bool:
    """Say whether the answer is due in formatversion 2."""
    return params.get("formatversion", "1") != "1"


def values(params: Params, name: str, default: str = "") -> list[str]:
    """Return a multi-valued parameter, at most 50 of them. Raises ``ApiError`` toomanyvalues."""
    text = params.get(name, default)
    found = list(dict.fromkeys(v for v in (text[1:].split("\x1f") if text[:1] == "\x1f" else text.split("|")) if v))
    if len(found) > MOST_VALUES:
        info = f'Too many values supplied for parameter "{name}". The limit is {MOST_VALUES}.'
        raise ApiError("toomanyvalues", info, parameter=name, limit=MOST_VALUES, lowlimit=MOST_VALUES, highlimit=MOST)
    return found


def limit(params: Params, name: str, default: int = 10) -> int:
    """Return a limit between 1 and 500; ``max`` is 500."""
    text = params.get(name, str(default))
    if text == "max":
        return MOST
    if not text.isdigit() or int(text) < 1:
        raise ApiError("badinteger", f'Invalid value "{text}" for integer parameter "{name}".')
    return min(int(text), MOST)


def query(wiki: Wiki, params: Params) -> Json:
    """Answer ``action=query``: page set first, then what is asked about the pages, then lists and meta."""
    cut: dict[str, str | int] = {}
    found: Json = {}
    pages = _page_set(wiki, params, found, cut)
    batch_complete = True
    for name in values(params, "prop"):
        if name not in PROPS:
            raise ApiError("badvalue", f'Unrecognized value for parameter "prop": {name}.')
        more = PROPS[name](wiki, params, pages)
        if more:
            # The generator stays where it is until all is told about its pages (ApiContinuationManager).
            here = {k: v for k, v in params.items() if k[:1] == "g" and k.endswith(("continue", "offset"))}
            batch_complete = False
            cut = {**here, **more, "continue": "||"}
    if pages and "indexpageids" in params:
        found["pageids"] = [str(number) for number in pages]
    if pages:
        found["pages"] = list(pages.values()) if modern(params) else {str(k): _old(v) for k, v in pages.items()}
    for name in values(params, "list"):
        if name not in LISTS:
            raise ApiError("badvalue", f'Unrecognized value for parameter "list": {name}.')
        entries, more = LISTS[name](wiki, params, "")
        found |= entries
        cut |= {**more, "continue": "-||"} if more else {}
    for name in values(params, "meta"):
        if name not in META:
            raise ApiError("badvalue", f'Unrecognized value for parameter "meta": {name}.')
        found |= META[name](wiki, params)
    done: Json = {"batchcomplete": True if modern(params) else ""} if batch_complete else {}
    return done | ({"continue": cut} if cut else {}) | {"query": found}


def _page_set(wiki: Wiki, params: Params, found: Json, cut: dict[str, str | int]) -> dict[int, Json]:
    pages: dict[int, Json] = {}
    if "generator" in params:
        name = params["generator"]
        if name not in LISTS:
            raise ApiError("badvalue", f'Unrecognized value for parameter "generator": {name}.')
        entries, more = LISTS[name](wiki, params, "g")
        key = next(iter(more), "")
        cut |= {**more, "continue": f"{key}||"} if more else {}
        listed = [(m["pageid"], m["ns"], m["title"]) for m in entries[name]]
        return {page_id: {"pageid": page_id, "ns": ns, "title": title} for page_id, ns, title in sorted(listed)}
    missing = -1
    normalized = []
    for title in values(params, "titles"):
        clean = _normalized(title)
        if clean != title:
            normalized.append({"fromencoded": False, "from": title, "to": clean})
        page = _page(wiki, clean)
        if page is None:
            pages[missing] = {"ns": _namespace(clean), "title": clean, "missing": True}
            missing -= 1
        else:
            pages[page["pageid"]] = page
    for text in values(params, "revids"):
        known = wiki.index.revisions.get(int(text) if text.isdigit() else 0)
        if known:
            pages[known[0].page_id] = _header(known[0])
        else:
            found.setdefault("badrevids", {})[text] = {"revid": int(text), "missing": True}
    for text in values(params, "pageids"):
        file = wiki.index.files.get(int(text) if text.isdigit() else 0)
        pages[int(text)] = _header(file) if file else {"pageid": int(text), "missing": True}
    if "redirects" in params:
        _follow(wiki, pages, found)
    if normalized:
        found["normalized"] = normalized if modern(params) else [_old(n) for n in normalized]
    return pages


def _follow(wiki: Wiki, pages: dict[int, Json], found: Json) -> None:
    """Put in place of each redirect the page it leads to."""
    moved = []
    for page_id in list(pages):
        file = wiki.index.files.get(page_id)
        if file and file.redirect in wiki.index.titles:
            moved.append({"from": file.title, "to": file.redirect})
            del pages[page_id]
            target = _header(wiki.index.titles[file.redirect])
            pages[target["pageid"]] = target
    if moved:
        found["redirects"] = moved


def _normalized(title: str) -> str:
    prefix, colon, name = title.replace("_", " ").strip().partition(":")
    if not colon:
        return prefix[:1].upper() + prefix[1:]
    name = name.strip()
    return f"{prefix.strip().capitalize()}:{name[:1].upper()}{name[1:]}"


def _namespace(title: str) -> int:
    return {"File": 6, "Category": 14}.get(title.split(":", 1)[0], 0) if ":" in title else 0


def _page(wiki: Wiki, title: str) -> Json | None:
    if title in wiki.index.titles:
        return _header(wiki.index.titles[title])
    category = wiki.index.categories.get(title)
    return {"pageid": category.page_id, "ns": 14, "title": title} if category else None


def _header(file: File) -> Json:
    return {"pageid": file.page_id, "ns": 6, "title": file.title}


def _old(value: Any) -> Any:
    """Return ``value`` as formatversion 1 writes it: true is "", false is left out."""
    if isinstance(value, dict):
        return {k: "" if v is True else _old(v) for k, v in value.items() if v is not False}
    return [_old(v) for v in value] if isinstance(value, list) else value


More = dict[str, str | int]
Listed = tuple[Json, More]


def category_members(wiki: Wiki, params: Params, prefix: str) -> Listed:
    """Answer ``list=categorymembers``: by kind in the order asked, then by upper-case sort key, then by page id."""
    title = params.get(f"{prefix}cmtitle", "")
    if not title:
        raise ApiError("invalidparammix", 'One of the parameters "cmtitle" and "cmpageid" is required.')
    kinds = values(params, f"{prefix}cmtype", "page|subcat|file")
    entries = wiki.index.members.get(_normalized(title), [])
    spaces = values(params, f"{prefix}cmnamespace")
    ordered = [m for kind in kinds for m in entries if m.kind == kind and (not spaces or str(m.namespace) in spaces)]
    start = _resume(ordered, kinds, params.get(f"{prefix}cmcontinue", ""))
    most = limit(params, f"{prefix}cmlimit")
    shown = set(values(params, f"{prefix}cmprop", "ids|title")) | ({"ids", "title"} if prefix else set())
    rows = [_member_row(m, shown) for m in ordered[start : start + most]]
    rest = ordered[start + most :][:1]
    return {"categorymembers": rows}, _next(f"{prefix}cmcontinue", [_token(m) for m in rest])


def _next(name: str, tokens: list[str]) -> More:
    return {name: tokens[0]} if tokens else {}


def _token(member: Member) -> str:
    return f"{member.kind}|{member.sort_key.hex()}|{member.page_id}"


def _resume(ordered: list[Member], kinds: list[str], token: str) -> int:
    if not token:
        return 0
    parts = token.split("|")
    try:
        kind, key, page_id = parts[0], bytes.fromhex(parts[1]), int(parts[2])
        place = (kinds.index(kind), key, page_id)
    except (IndexError, ValueError):
        info = "Invalid continue param. You should pass the original value returned by the previous query."
        raise ApiError("badcontinue", info) from None
    return bisect_left(ordered, place, key=lambda m: (kinds.index(m.kind), m.sort_key, m.page_id))


def _member_row(member: Member, shown: set[str]) -> Json:
    row: Json = {}
    if "ids" in shown:
        row["pageid"] = member.page_id
    row["ns"] = member.namespace
    if "title" in shown:
        row["title"] = member.title
    if "type" in shown:
        row["type"] = member.kind
    if "timestamp" in shown:
        row["timestamp"] = member.moment
    return row


def search(wiki: Wiki, params: Params, prefix: str) -> Listed:
    """Answer ``list=search`` for the operators ``haswbstatement:`` and ``incategory:``, and words in titles."""
    words = _search_words(params.get(f"{prefix}srsearch", ""))
    if not words:
        raise ApiError("missingparam", 'The "srsearch" parameter must be set.')
    if wiki.site == "wikidata":
        return _search_items(wiki, params, prefix, words)
    pages = wiki.index.file_pages if wiki.site == "commons" else wiki.index.item_pages
    hits = [page for page in pages if all(_hit(wiki, page, word) for word in words)]
    if params.get(f"{prefix}srsort") == "create_timestamp_asc":
        hits.sort(key=lambda page: (page.created, page.page_id))
    start = int(params.get(f"{prefix}sroffset", "0"))
    if start >= MOST_HITS:
        info = f"Up to {MOST_HITS} search results are supported, but results starting at {start} were requested."
        raise ApiError("cirrussearch-offset-too-large", f"Could not retrieve results. {info}")
    most = limit(params, f"{prefix}srlimit")
    shown = values(params, f"{prefix}srprop", "size|wordcount|timestamp|snippet")
    rows = [_found(page, shown) for page in hits[start : start + most]]
    more: More = {f"{prefix}sroffset": start + most} if start + most < len(hits) else {}
    counted: Json = {"searchinfo": {"totalhits": len(hits)}} if params.get(f"{prefix}srinfo", "totalhits") else {}
    return counted | {"search": rows}, more


def _found(page: Searchable, shown: list[str]) -> Json:
    told = {"size": len(page.text), "wordcount": len(page.text.split()), "snippet": "", "timestamp": page.moment}
    row: Json = {"ns": page.namespace, "title": page.title, "pageid": page.page_id}
    return row | {k: v for k, v in told.items() if k in shown}


def _search_items(wiki: Wiki, params: Params, prefix: str, words: list[str]) -> Listed:
    hits = [i for i in wiki.index.world.items if not i.redirect and all(_item_hit(wiki, i, w) for w in words)]
    start = int(params.get(f"{prefix}sroffset", "0"))
    most = limit(params, f"{prefix}srlimit")
    rows: list[Json] = [
        {"ns": 0, "title": i.id, "pageid": i.page_id, "size": 0, "wordcount": 0, "snippet": "", "timestamp": i.modified}
        for i in hits[start : start + most]
    ]
    more: dict[str, str | int] = {f"{prefix}sroffset": start + most} if start + most < len(hits) else {}
    return {"searchinfo": {"totalhits": len(hits)}, "search": rows}, more


def _item_hit(wiki: Wiki, item: Item, word: str) -> bool:
    operator, _, value = word.partition(":")
    if operator == "haswbstatement":
        return any(item.id in wiki.index.stating.get(v.casefold(), ()) for v in value.split("|"))
    return word.casefold() in (text.casefold() for text in item.entity.labels.values())


def _search_words(text: str) -> list[str]:
    words, quoted, word = [], False, ""
    for letter in text + " ":
        if letter == '"':
            quoted = not quoted
        elif letter == " " and not quoted:
            words += [word] if word else []
            word = ""
        else:
            word += letter
    return words


def _hit(wiki: Wiki, page: Searchable, word: str) -> bool:
    if word.startswith("-"):
        return not _hit(wiki, page, word[1:])
    operator, colon, value = word.partition(":")
    if colon and operator == "haswbstatement":
        stating = wiki.index.stating_files if wiki.site == "commons" else wiki.index.stating_items
        return any(page.title in stating.get(v.lower(), ()) for v in value.split("|"))
    if colon and operator == "filesize":
        least, _, largest = value.partition(",")
        return int(least) * 1024 <= page.size_bytes <= int(largest) * 1024
    if colon and operator == "incategory":
        return any(v in page.categories for v in value.split("|"))
    return word.casefold() in page.title.casefold()


def recent_changes(wiki: Wiki, params: Params, prefix: str) -> Listed:
    """Answer ``list=recentchanges`` of file pages and deletions, newest first, back to ``rcend``."""
    kinds = set(values(params, f"{prefix}rctype", "edit|new|log"))
    rows = [_change(f, i) for f in wiki.index.world.files for i in range(len(f.revisions))]
    rows += [_deletion(d) | {"revid": 0, "old_revid": 0, "rcid": d.number} for d in wiki.index.world.deletions]
    oldest = params.get(f"{prefix}rcend", "")
    rows = [row for row in rows if row["type"] in kinds and row["timestamp"] >= oldest]
    rows.sort(key=lambda row: (row["timestamp"], row["rcid"]), reverse=True)
    token = params.get(f"{prefix}rccontinue", "")
    if token:
        stamp, _, number = token.partition("|")
        rows = [r for r in rows if (_stamp(r["timestamp"]), r["rcid"]) <= (stamp, int(number))]
    most = limit(params, f"{prefix}rclimit")
    rest = rows[most:][:1]
    return {"recentchanges": rows[:most]}, _next(
        f"{prefix}rccontinue", [f"{_stamp(r['timestamp'])}|{r['rcid']}" for r in rest]
    )


def _deletion(deletion: Deletion) -> Json:
    return {
        "type": "log",
        "ns": 6,
        "title": deletion.title,
        "pageid": 0,
        "user": deletion.user,
        "timestamp": deletion.moment,
        "comment": deletion.comment,
    }


def _change(file: File, number: int) -> Json:
    new, old = file.revisions[number], file.revisions[number - 1] if number else None
    return {
        "type": "edit" if old else "new",
        "ns": 6,
        "title": file.title,
        "pageid": file.page_id,
        "revid": new.id,
        "old_revid": old.id if old else 0,
        "rcid": new.id,
        "user": new.user,
        "oldlen": sum(slot_sizes(file, old).values()) if old else 0,
        "newlen": sum(slot_sizes(file, new).values()),
        "timestamp": new.moment,
        "comment": new.comment,
        "tags": list(new.tags),
    }


def all_images(wiki: Wiki, params: Params, prefix: str) -> Listed:
    """Answer ``list=allimages`` of one user's uploads in the order of their moments."""
    if params.get(f"{prefix}aisort") != "timestamp":
        raise ApiError("badparams", 'The parameter "aiuser" can only be used with "aisort=timestamp".')
    user = params.get(f"{prefix}aiuser", "").replace("_", " ")
    mine = [f for f in wiki.index.world.files if not f.redirect and (f.uploader or f.revisions[0].user) == user]
    rows = sorted((_stamp(f.uploaded or f.revisions[0].moment), f.title.split(":", 1)[1], f) for f in mine)
    token = params.get(f"{prefix}aicontinue", "")
    rows = [row for row in rows if f"{row[0]}|{row[1]}" >= token]
    most = limit(params, f"{prefix}ailimit")
    listed = [_header(f) | {"name": name.replace(" ", "_")} for _, name, f in rows[:most]]
    if not prefix:
        listed = [{k: v for k, v in row.items() if k != "pageid"} for row in listed]
    return {"allimages": listed}, _next(f"{prefix}aicontinue", [f"{row[0]}|{row[1]}" for row in rows[most:][:1]])


def log_events(wiki: Wiki, params: Params, prefix: str) -> Listed:
    """Answer ``list=logevents`` of deletions and moves, newest first, of one kind and one title if asked."""
    title = params.get(f"{prefix}letitle", "")
    if set(title) & set("[]{}|<>#"):
        raise ApiError("invalidtitle", f'Bad title "{title}".')
    kind = params.get(f"{prefix}letype") or params.get(f"{prefix}leaction", "").partition("/")[0]
    told = [_deletion_logged(d) for d in wiki.index.world.deletions] + [_move_logged(m) for m in wiki.index.world.moves]
    rows = [
        row | {"ns": 6, "pageid": wiki.index.titles[row["title"]].page_id if row["title"] in wiki.index.titles else 0}
        for row in told
        if kind in ("", row["type"]) and (not title or row["title"] == _normalized(title))
    ]
    rows.sort(key=lambda row: (row["timestamp"], row["logid"]), reverse=True)
    return {"logevents": rows[: limit(params, f"{prefix}lelimit")]}, {}


def _deletion_logged(deletion: Deletion) -> dict[str, Any]:
    return {
        "logid": deletion.number,
        "title": deletion.title,
        "logpage": deletion.page_id,
        "params": {},
        "type": "delete",
        "action": "delete",
        "user": deletion.user,
        "timestamp": deletion.moment,
        "comment": deletion.comment,
    }


def _move_logged(move: Move) -> dict[str, Any]:
    return {
        "logid": move.number,
        "title": move.title,
        "logpage": 0,
        "params": {"target_ns": 6, "target_title": move.target, "suppressredirect": not move.redirect},
        "type": "move",
        "action": "move",
        "user": move.user,
        "timestamp": move.moment,
        "comment": "",
    }


LISTS: dict[str, Callable[[Wiki, Params, str], Listed]] = {
    "allimages": all_images,
    "logevents": log_events,
    "categorymembers": category_members,
    "search": search,
    "recentchanges": recent_changes,
}


def info(wiki: Wiki, _params: Params, pages: dict[int, Json]) -> More:
    """Answer ``prop=info``."""
    for file, page in _files(wiki, pages):
        last = file.revisions[-1]
        page |= {"contentmodel": "wikitext", "pagelanguage": "en", "pagelanguagehtmlcode": "en"}
        page |= {"pagelanguagedir": "ltr", "touched": last.moment, "lastrevid": last.id, "length": len(last.wikitext)}
        if file.redirect:
            page["redirect"] = True
    return {}


def categories(wiki: Wiki, params: Params, pages: dict[int, Json]) -> More:
    """Answer ``prop=categories``, of those in ``clcategories`` if given."""
    only = {_normalized(title) for title in values(params, "clcategories")}
    for file, page in _files(wiki, pages):
        titles = [f"Category:{name}" for name in sorted(file.categories)]
        shown = [title for title in titles if not only or title in only]
        if shown:
            page["categories"] = [{"ns": 14, "title": title} for title in shown]
    return {}


def category_info(wiki: Wiki, _params: Params, pages: dict[int, Json]) -> More:
    """Answer ``prop=categoryinfo`` of category pages; file pages have nothing to tell."""
    for page in pages.values():
        if page.get("ns") == 14:
            kinds = [member.kind for member in wiki.index.members.get(page["title"], ())]
            files, below = kinds.count("file"), kinds.count("subcat")
            page["categoryinfo"] = {"size": len(kinds), "pages": 0, "files": files, "subcats": below, "hidden": False}
    return {}


def image_info(wiki: Wiki, params: Params, pages: dict[int, Json]) -> More:
    """Answer ``prop=imageinfo``; ``iiurlwidth`` is answered with the next larger standard width."""
    wanted = set(values(params, "iiprop", "timestamp|user"))
    known = sorted(_files(wiki, pages), key=lambda entry: entry[0].title)
    begin = params.get("iicontinue", "").replace("_", " ").partition("|")[0]
    known = [entry for entry in known if entry[0].title.split(":", 1)[1] >= begin]
    most = min(wiki.index.world.described_at_once, MOST_VALUES if "iiurlwidth" in params else MOST)
    for file, page in known[:most]:
        if file.redirect:
            page["imagerepository"] = ""
            continue
        page["imagerepository"] = "local"
        page["imageinfo"] = [_image(wiki, file, wanted, params)]
    for page in pages.values():
        if page.get("missing"):
            page["imagerepository"] = ""
    tokens = (f"{f.title.split(':', 1)[1].replace(' ', '_')}|{_stamp(f.revisions[-1].moment)}" for f, _ in known[most:])
    return _next("iicontinue", list(tokens)[:1])


def _image(wiki: Wiki, file: File, wanted: set[str], params: Params) -> Json:
    said: Json = {}
    if "timestamp" in wanted:
        said["timestamp"] = file.uploaded or file.revisions[0].moment
    if "user" in wanted:
        said["user"] = file.uploader or file.revisions[0].user
    if wanted & {"size", "dimensions"}:
        said |= {"size": file.size_bytes, "width": file.width_px, "height": file.height_px}
    if "url" in wanted:
        if params.get("iiurlwidth", "").isdigit():
            said |= thumbnail(wiki, file, int(params["iiurlwidth"]))
        name = url_path(file.title)
        said["url"] = image_url(wiki, file)
        said["descriptionurl"] = f"{wiki.base}/wiki/{name}"
        said["descriptionshorturl"] = f"{wiki.base}/w/index.php?curid={file.page_id}"
    if "sha1" in wanted:
        said["sha1"] = file.sha1
    if "extmetadata" in wanted:
        said["extmetadata"] = _extmetadata(file, values(params, "iiextmetadatafilter"))
    if "mime" in wanted:
        said["mime"] = file.mime
    if "mediatype" in wanted:
        said["mediatype"] = "BITMAP"
    return said


def image_url(wiki: Wiki, file: File) -> str:
    """Return where the image is."""
    return file.url or f"{wiki.images}/{url_path(image_path(file.title))}"


def thumbnail(wiki: Wiki, file: File, width_px: int) -> Json:
    """Return address and size of the thumbnail that is offered for ``width_px``: a standard width, or the original."""
    offered = next((w for w in STANDARD_WIDTHS if w >= width_px), STANDARD_WIDTHS[-1])
    if file.url or offered >= file.width_px:
        return {"thumburl": image_url(wiki, file), "thumbwidth": file.width_px, "thumbheight": file.height_px}
    path = image_path(file.title)
    name = f"{offered}px-{path.rsplit('/', 1)[1]}"
    height_px = round(file.height_px * offered / file.width_px)
    url = f"{wiki.images}/thumb/{url_path(path)}/{url_path(name)}"
    return {"thumburl": url, "thumbwidth": offered, "thumbheight": height_px}


def _extmetadata(file: File, only: list[str]) -> Json:
    told: dict[str, str | float] = {
        "DateTime": (file.uploaded or file.revisions[0].moment).replace("T", " ").rstrip("Z"),
        "ObjectName": file.title.split(":", 1)[1].rsplit(".", 1)[0],
        "CommonsMetadataExtension": 1.2,
        "Categories": "|".join(sorted(file.categories)),
        "Assessments": "",
        **file.metadata,
    }
    return {k: _metadatum(k, v) for k, v in told.items() if not only or k in only}


def _metadatum(name: str, value: str | float) -> Json:
    said: Json = {"value": value, "source": _SOURCES.get(name, "commons-desc-page")}
    return said | {"hidden": ""} if name in _HIDDEN else said


def revisions(wiki: Wiki, params: Params, pages: dict[int, Json]) -> More:
    """Answer ``prop=revisions``: the last one of many pages, or the history of one page with continuation."""
    whole = bool({"rvlimit", "rvcontinue", "rvdir", "rvstart", "rvend"} & set(params))
    known = list(_files(wiki, pages))
    if "revids" in params:
        return _revisions_by_id(wiki, params, pages)
    if whole and len(pages) > 1:
        text = (
            '"titles", "pageids" or a generator was used to supply multiple pages, but the "rvlimit", "rvstartid", '
            '"rvendid", "rvdir=newer", "rvuser", "rvexcludeuser", "rvstart", and "rvend" parameters may only be used '
            "on a single page."
        )
        raise ApiError("invalidparammix", text)
    wanted = set(values(params, "rvprop", "ids|timestamp|flags|comment|user"))
    most = limit(params, "rvlimit", 1 if not whole else 10)
    most = min(most, 50) if "content" in wanted else most
    more: More = {}
    for file, page in known:
        history = sorted(file.revisions, key=lambda r: (r.moment, r.id), reverse=params.get("rvdir") != "newer")
        if not whole:
            history = [file.revisions[-1]]  # what the page shows, which is not always what was written last
        start = _revision_start(history, params.get("rvcontinue", ""))
        page["revisions"] = [_revision(file, r, wanted, params) for r in history[start : start + most]]
        if whole:
            more = _next("rvcontinue", [f"{_stamp(r.moment)}|{r.id}" for r in history[start + most :][:1]])
    return more


def _revisions_by_id(wiki: Wiki, params: Params, pages: dict[int, Json]) -> More:
    if "rvlimit" in params:
        text = 'The "revids=" parameter may not be used with the list options ("rvlimit", "rvstartid" …).'
        raise ApiError("invalidparammix", text)
    wanted = set(values(params, "rvprop", "ids|timestamp|flags|comment|user"))
    asked = {int(text) for text in values(params, "revids")} & wiki.index.revisions.keys()
    for file, revision in (wiki.index.revisions[number] for number in sorted(asked)):
        pages[file.page_id].setdefault("revisions", []).append(_revision(file, revision, wanted, params))
    return {}


def _revision_start(history: list[Revision], token: str) -> int:
    if not token:
        return 0
    places = [f"{_stamp(r.moment)}|{r.id}" for r in history]
    if token not in places:
        text = "Invalid continue param. You should pass the original value returned by the previous query."
        raise ApiError("badcontinue", text)
    return places.index(token)


def _revision(file: File, revision: Revision, wanted: set[str], params: Params) -> Json:
    said: Json = {}
    if "ids" in wanted:
        said |= {"revid": revision.id, "parentid": revision.parent}
    if "flags" in wanted:
        said["minor"] = False
    if "user" in wanted:
        said |= {"userhidden": True} if "user" in revision.hidden else {"user": revision.user}
    if "timestamp" in wanted:
        said["timestamp"] = revision.moment
    sizes = slot_sizes(file, revision)
    if "size" in wanted:
        said["size"] = sum(sizes.values())
    if "roles" in wanted:
        said["roles"] = list(sizes)
    if wanted & {"slotsize", "content"} and "rvslots" in params:
        asked = sizes if params["rvslots"] == "*" else [s for s in values(params, "rvslots") if s in sizes]
        said["slots"] = {name: _slot(file, revision, name, wanted, params) for name in asked}
    if "comment" in wanted:
        said |= {"commenthidden": True} if "comment" in revision.hidden else {"comment": revision.comment}
    if "tags" in wanted:
        said["tags"] = list(revision.tags)
    return said


def _slot(file: File, revision: Revision, name: str, wanted: set[str], params: Params) -> Json:
    said: Json = {"size": slot_sizes(file, revision)[name]} if "slotsize" in wanted else {}
    if "content" in wanted and "content" in revision.hidden:
        said["texthidden"] = True
    elif "content" in wanted:
        main = name == "main"
        said["contentmodel"] = "wikitext" if main else "wikibase-mediainfo"
        said["contentformat"] = "text/x-wiki" if main else "application/json"
        said["content" if modern(params) else "*"] = revision.wikitext if main else slot_text(file, revision.entity)
    return said


def slot_sizes(file: File, revision: Revision) -> dict[str, int]:
    """Return the size of each slot in bytes."""
    sizes = {"main": len(revision.wikitext.encode())}
    return sizes if revision.entity is None else sizes | {"mediainfo": len(slot_text(file, revision.entity))}


def slot_text(file: File, entity: Entity | None) -> str:
    """Return the mediainfo slot as Wikibase stores it: PHP's JSON, where an empty map is ``[]``."""
    told = entity or Entity()
    content: Json = {
        "type": "mediainfo",
        "id": file.id,
        "labels": terms(told.labels) or [],
        "descriptions": terms(told.descriptions) or [],
        "statements": dict(told.statements) or [],
    }
    return json.dumps(content, separators=(",", ":")).replace("/", "\\/")


def terms(texts: Mapping[str, str]) -> dict[str, Json]:
    """Return labels or descriptions in Wikibase's JSON."""
    return {language: {"language": language, "value": text} for language, text in texts.items()}


def _stamp(moment: str) -> str:
    return "".join(c for c in moment if c.isdigit())


def _files(wiki: Wiki, pages: dict[int, Json]) -> Iterable[tuple[File, Json]]:
    return [(wiki.index.files[k], page) for k, page in pages.items() if k in wiki.index.files]


PROPS: dict[str, Callable[[Wiki, Params, dict[int, Json]], More]] = {
    "info": info,
    "categories": categories,
    "categoryinfo": category_info,
    "imageinfo": image_info,
    "revisions": revisions,
}


def site_info(wiki: Wiki, params: Params) -> Json:
    """Answer ``meta=siteinfo``: general part, namespaces and their other names, the extensions that matter here."""
    name = wiki.index.world.site_name if wiki.site == "commons" else "Wikidata"
    spaces = {0: "", 6: "File", 14: "Category"} if wiki.site == "commons" else {0: "", 120: "Property"}
    extensions = ["WikibaseRepository", *(["WikibaseMediaInfo"] if wiki.site == "commons" else [])]
    told: Json = {
        "general": {
            "mainpage": "Main Page",
            "base": f"{wiki.base}/wiki/Main_Page",
            "sitename": name,
            "generator": "MediaWiki 1.43.9",
            "case": "first-letter",
            "lang": "en",
            "timezone": "UTC",
            "articlepath": "/wiki/$1",
            "scriptpath": "/w",
            "server": wiki.base,
            "wikiid": f"{wiki.site}wiki",
            "categorycollation": "uppercase",
            "thumblimits": {str(place): width for place, width in enumerate(STANDARD_WIDTHS)},
            "imagelimits": {"0": {"width": 320, "height": 240}},
            "magiclinks": {"ISBN": False, "PMID": False, "RFC": False},
            "linktrail": "/^([a-z]+)(.*)$/sD",
        },
        "namespaces": {str(number): _space(number, title, modern(params)) for number, title in spaces.items()},
        "namespacealiases": [],
        "fileextensions": [{"ext": ext} for ext in ("png", "gif", "jpg", "jpeg", "webp", "tif", "tiff", "svg", "djvu")],
        "extensions": [{"type": "wikibase", "name": extension} for extension in extensions],
    }
    wanted = values(params, "siprop", "general|namespaces")
    return {key: part for key, part in told.items() if key in wanted}


def _space(number: int, title: str, new: bool) -> Json:
    """Return a namespace; formatversion 2 calls its name ``name``."""
    told: Json = {"id": number, "case": "first-letter", "name" if new else "*": title}
    if number:
        told["canonical"] = title
    return told


def user_info(_wiki: Wiki, params: Params) -> Json:
    """Answer ``meta=userinfo``: nobody is logged in."""
    told: Json = {"id": 0, "name": "127.0.0.1", "anon": True if modern(params) else ""}
    return {"userinfo": told | {"groups": ["*"], "rights": ["read"], "ratelimits": {}}}


def wikibase_client(wiki: Wiki, _params: Params) -> Json:
    """Answer ``meta=wikibase``: where the items are."""
    site = {"base": wiki.base, "scriptpath": "/w", "articlepath": "/wiki/$1"}
    return {"wikibase": {"repo": {"url": site}, "siteid": f"{wiki.site}wiki"}}


META: dict[str, Callable[[Wiki, Params], Json]] = {
    "siteinfo": site_info,
    "userinfo": user_info,
    "wikibase": wikibase_client,
}
