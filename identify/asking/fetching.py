"""Images by address. In: URLs from anybody. Out: their bytes, or the problem; never anything of our own network.

The polite client asks (``linkeddata.client``), which resolves a name once, checks every address it has and connects to
one that was checked, at each step of a redirect. Here it trusts no service of the settings either, for these may lie
on this machine, and it asks once: somebody is waiting.
"""

from collections.abc import Callable
from dataclasses import fields, replace
from urllib.parse import urlsplit

from linkeddata.client import Client
from linkeddata.errors import ContactRequiredError, ServiceError
from linkeddata.problem import Problem
from linkeddata.settings import SERVICES, Settings

WAIT_S = 10.0
LONGEST_S = 30.0
LONGEST_URL = 2000
NOT_FETCHED = "Image cannot be fetched"
"""Title of the problem that an image which cannot be had is told as."""

Fetch = Callable[[str, int], bytes]
"""Brings the bytes at a URL, at most so many; raises ``Problem``."""


def careful(settings: Settings) -> Settings:
    """Return settings for asking addresses that somebody sent: one try, no patience, no address that is trusted."""
    usual = {one.name: one.default for one in fields(Settings) if one.name in SERVICES}
    return replace(
        settings,
        **usual,  # type: ignore[arg-type]
        wcqs_cookie="",
        tries=1,
        patience_s=0.0,
        timeout_s=min(settings.timeout_s, WAIT_S),
        longest_answer_s=min(settings.longest_answer_s, LONGEST_S),
    )


def fetching(client: Client) -> Fetch:
    """Return what brings images through ``client``, which was made with ``careful`` settings."""

    def fetch(url: str, limit: int) -> bytes:
        checked_url(url)
        try:
            return client.get_bytes(url, limit=limit)
        except ContactRequiredError as error:
            raise Problem(422, "No addresses here", "This installation fetches no images: send the file.") from error
        except ServiceError as error:
            too_large = error.code == "too-large"
            detail = f"At most {limit:,} bytes an image are taken." if too_large else str(error)[:300]
            raise Problem(413 if too_large else 422, NOT_FETCHED, detail) from error

    return fetch


def checked_url(url: str) -> str:
    """Return an address that may be asked for. Raises ``Problem`` 422: HTTP alone, no log-in, of sane length.

    >>> checked_url("https://plates.example/1.jpg")
    'https://plates.example/1.jpg'
    """
    try:
        parts = urlsplit(url)
        fine = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
        login = parts.username is not None or parts.password is not None
    except ValueError:
        fine, login = False, False
    if not fine or login or len(url) > LONGEST_URL or not url.isprintable() or " " in url:
        raise Problem(422, "No address of an image", "An address begins with http:// or https:// and has no log-in.")
    return url
