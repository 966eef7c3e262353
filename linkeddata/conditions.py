"""Conditional requests, RFC 9110 section 13. In: headers, and validators of a document. Out: 304, 412 or go on."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import format_datetime, parsedate_to_datetime

_TAGS = re.compile(r'(?:W/)?("[^"]*")')


def http_date(moment: str) -> str:
    """Return a moment of ours as HTTP writes it, ``""`` where it is none.

    >>> http_date("2026-11-02T10:00:00Z"), http_date("last week")
    ('Mon, 02 Nov 2026 10:00:00 GMT', '')
    """
    try:
        found = datetime.fromisoformat(moment)
    except ValueError:
        return ""
    return format_datetime((found if found.tzinfo else found.replace(tzinfo=UTC)).astimezone(UTC), usegmt=True)


def answered(headers: Mapping[str, str], etag: str, modified: str = "") -> int:
    """Return 412 or 304 where the request's conditions ask for that, else 0. ``modified`` is an HTTP date.

    >>> answered({"if-none-match": 'W/"a", "b"'}, '"b"'), answered({"if-match": '"a"'}, '"b"'), answered({}, '"b"')
    (304, 412, 0)
    """
    wanted, unwanted = headers.get("if-match", ""), headers.get("if-none-match", "")
    if wanted:
        # strong comparison: a tag that is only weakly the same does not do
        if wanted.strip() != "*" and etag not in [part.strip() for part in wanted.split(",")]:
            return 412
    elif (unmodified := headers.get("if-unmodified-since", "")) and _later(modified, unmodified):
        return 412
    if unwanted:
        return 304 if unwanted.strip() == "*" or etag.removeprefix("W/") in _TAGS.findall(unwanted) else 0
    since = headers.get("if-modified-since", "")
    return 304 if since and modified and _date(since) and not _later(modified, since) else 0


def _later(modified: str, than: str) -> bool:
    one, other = _date(modified), _date(than)
    return one is not None and other is not None and one > other


def _date(text: str) -> datetime | None:
    try:
        found = parsedate_to_datetime(text)
    except ValueError:
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)
