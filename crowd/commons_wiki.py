"""Commons through pywikibot: reading statements, adding some, minding what it says. In: settings. Out: ``Commons``.

The one module that knows pywikibot, whose configuration is global and read when it is imported: a process speaks to one
wiki as one user. Without a folder of pywikibot's own (``PYWIKIBOT_DIR``) it is given an empty one that is thrown away
with its cookies; passwords and tokens go from our settings into its memory alone.

pywikibot waits as the wiki asks it to (``maxlag``, its pause between edits) and signs requests. What it would try again
by itself is tried again by whoever calls this, after looking: an edit whose answer is lost may have been saved.
"""

import os
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from crowd.commons_edit import Json
from linkeddata.errors import ServiceError, UnreachableError, UsageError
from linkeddata.settings import VERSION, Settings

COMMONS = "commons.wikimedia.org"
AT_ONCE = 50
"""Entities in one request."""
MAXLAG_S = 5
RETRY_S = 5.0
CONFLICTS = frozenset({"editconflict", "edit-conflict"})
STOPS = frozenset({
    "blocked", "autoblocked", "assertuserfailed", "assertbotfailed", "permissiondenied", "readonly", "badtoken",
    "writeapidenied", "mwoauth-invalid-authorization", "hookaborted",
})  # fmt: skip
"""Error codes after which nobody should go on."""
LIMITS = frozenset({"ratelimited", "maxlag"})
FAMILY = """
from pywikibot import family

class Family(family.DefaultWikibaseFamily):
    name = "deboodt"
    langs = {{"commons": "{host}"}}
    def protocol(self, code):
        return "{scheme}"
    def scriptpath(self, code):
        return "{path}"
    def shared_image_repository(self, code):
        return ("commons", "deboodt")
    def entity_sources(self, code):
        return {{"item": ("commons", "deboodt"), "property": ("commons", "deboodt")}}
"""


class StoppedError(ServiceError):
    """The wiki, or somebody there, wants us to stop."""


class ConflictError(ServiceError):
    """The file was edited since it was read, in a way that does not go together."""


class RefusedError(ServiceError):
    """The wiki does not take this edit; another may be taken."""


class NoAnswerError(UnreachableError):
    """No answer came, or none that can be read: whether an edit was saved is not known."""


@dataclass(frozen=True, slots=True)
class Page:
    """A file as it stands on the wiki."""

    revision: int
    statements: Mapping[str, Sequence[Json]] = field(default_factory=dict)


class Commons:
    """The wiki, as one user or as nobody."""

    def __init__(self, site: Any) -> None:
        self._site = site

    def read(self, media: Iterable[str]) -> dict[str, Page]:
        """Return the files that there are, by M-id; in few requests."""
        wanted = list(media)
        found: dict[str, Page] = {}
        for start in range(0, len(wanted), AT_ONCE):
            found |= self._read(wanted[start : start + AT_ONCE])
        return found

    def _read(self, media: list[str]) -> dict[str, Page]:
        said = self._asked(action="wbgetentities", ids=media, props=["info", "claims"])["entities"]
        found = {}
        bare = []
        for key in media:
            entity = said.get(key, {"missing": ""})
            if "missing" in entity:
                bare.append(key)
            else:
                found[key] = Page(int(entity["lastrevid"]), entity.get("statements") or {})
        return found | (self._bare(bare) if bare else {})

    def _bare(self, media: list[str]) -> dict[str, Page]:
        """Return, of files without any statement, those whose page is there."""
        numbers = [key[1:] for key in media]
        pages = self._asked(action="query", prop=["info"], pageids=numbers)["query"]["pages"]
        return {f"M{n}": Page(int(pages[n]["lastrevid"])) for n in numbers if "lastrevid" in pages.get(n, {})}

    def add(self, media: str, page: Page, statements: Sequence[Json], summary: str) -> Page:
        """Add statements to a file that is still as it was read, in one edit; return what it is then."""
        data = {"claims": list(statements)}
        return self._saved(action="wbeditentity", id=media, data=_json(data), baserevid=page.revision, summary=summary)

    def remove(self, media: str, page: Page, guids: Sequence[str], summary: str) -> None:
        """Take statements away that are our own."""
        self._saved(action="wbremoveclaims", claim=list(guids), baserevid=page.revision, summary=summary)

    def reason_to_stop(self) -> str:
        """Return why nobody should go on editing, ``""`` where nothing says so."""
        del self._site.userinfo
        told = self._guarded(lambda: self._site.userinfo)
        if "anon" in told or not told.get("id"):
            return "nobody is logged in any more"
        if "blockid" in told or "blockinfo" in told:
            return f"{told['name']} is blocked: {told.get('blockreason', '')}".rstrip(": ")
        return f"{told['name']} has a new message on the talk page: read it first" if told.get("messages") else ""

    def _saved(self, **params: Any) -> Page:
        token = self._guarded(lambda: self._site.tokens["csrf"])
        answer = self._asked(**params, bot=True, token=token, once=True)
        entity = answer.get("entity", {})
        return Page(
            int(answer.get("pageinfo", entity).get("lastrevid", entity.get("lastrevid", 0))),
            entity.get("statements") or entity.get("claims") or {},
        )

    def _asked(self, once: bool = False, **params: Any) -> Any:
        def ask() -> Any:
            request = self._site.simple_request(**params)
            if once:
                request.max_retries = 0
            return request.submit()

        return self._guarded(ask)

    def _guarded(self, ask: Any) -> Any:
        """Do what pywikibot does, and say its errors in ours; none of them quotes what was sent."""
        import requests
        from pywikibot import exceptions

        try:
            return ask()
        except exceptions.APIError as error:
            raise _translated(error.code, error.info) from error
        except exceptions.NoUsernameError as error:
            raise StoppedError("Commons does not take the log-in", code="login") from error
        except (exceptions.Error, requests.RequestException, ConnectionError, TimeoutError) as error:
            raise NoAnswerError(f"Commons did not answer: {type(error).__name__}") from error


@contextmanager
def opened(settings: Settings, *, write: bool, pause_s: float) -> Iterator[Commons]:
    """Give Commons as the settings have it; logged in where it is to be written to.

    Raises ``UsageError`` without pywikibot or without a user to log in as, ``StoppedError`` where the log-in fails.
    """
    with tempfile.TemporaryDirectory(prefix="deboodt-pywikibot-") as folder:
        if not os.environ.get("PYWIKIBOT_DIR"):
            os.environ |= {"PYWIKIBOT_DIR": folder, "PYWIKIBOT_NO_USER_CONFIG": "2"}
        try:
            import pywikibot
        except ModuleNotFoundError as error:
            raise UsageError("commons push needs pywikibot: pip install 'deboodt[commons]'") from error
        _configure(pywikibot.config, settings, pause_s)
        family = _family(pywikibot.config, settings.commons_api, Path(folder))
        name, _, _ = settings.commons_user.partition("@")
        site = pywikibot.Site("commons", family, user=name or None)
        commons = Commons(site)
        try:
            if write:
                commons._guarded(lambda: _log_in(site, settings))
            yield commons
        finally:
            pywikibot.stopme()


def _configure(config: Any, settings: Settings, pause_s: float) -> None:
    config.user_agent_description = f"DeBoodt/{VERSION} ({settings.contact or 'no contact given'})"
    config.put_throttle = pause_s
    config.minthrottle = 0
    config.maxthrottle = max(pause_s, 1)
    config.write_maxlag = config.read_maxlag = config.maxlag = MAXLAG_S
    config.retry_wait = min(RETRY_S, settings.longest_wait_s)
    config.retry_max = settings.longest_wait_s
    config.max_retries = settings.tries
    config.socket_timeout = (settings.timeout_s, settings.timeout_s)
    config.noisysleep = 60.0
    if settings.commons_oauth:
        tokens = tuple(settings.commons_oauth.split())
        if len(tokens) != 4:
            raise UsageError(
                "commons_oauth has four tokens: of the consumer its key and secret, of the access the same"
            )
        config.authenticate[urlsplit(settings.commons_api).netloc] = tokens


def _family(config: Any, api: str, folder: Path) -> str:
    """Return pywikibot's name for the wiki: its own for Commons, one made for any other."""
    parts = urlsplit(api)
    if parts.netloc == COMMONS:
        return "commons"
    path = folder / "deboodt_family.py"
    text = FAMILY.format(host=parts.netloc, scheme=parts.scheme, path=parts.path.removesuffix("/api.php"))
    path.write_text(text, encoding="utf-8")
    config.family_files["deboodt"] = str(path)
    return "deboodt"


def _log_in(site: Any, settings: Settings) -> None:
    from pywikibot import exceptions, login

    if settings.commons_password and not settings.commons_oauth:
        manager = login.ClientLoginManager(password=settings.commons_password, site=site, user=site.username())
        manager.login_name = settings.commons_user
        try:
            manager.login_to_site()
        except (RuntimeError, exceptions.APIError) as error:
            if getattr(error, "code", "fail").casefold() not in ("fail", "failed"):
                raise
            raise UsageError("Commons does not take the user and password") from error
    elif not settings.commons_oauth and os.environ.get("PYWIKIBOT_NO_USER_CONFIG"):
        raise UsageError(
            "nobody to edit as: set commons_user with commons_password or commons_oauth, or PYWIKIBOT_DIR to a folder "
            "with pywikibot's own user-config.py"
        )
    site.login()
    if not site.logged_in():
        raise UsageError("Commons does not take the log-in")


def _translated(code: str, info: str) -> ServiceError:
    said = f"Commons answers {code}: {info}"
    if code in CONFLICTS or (code == "failed-save" and "conflict" in info.lower()):
        return ConflictError(said, code=code)
    if code in LIMITS:
        return NoAnswerError(said, code=code)
    return StoppedError(said, code=code) if code in STOPS else RefusedError(said, code=code)


def _json(data: Json) -> str:
    import json

    return json.dumps(data, ensure_ascii=False)
