"""Where machines look first. In: the base of our URIs. Out: an API catalogue, a sitemap, robots.txt. All pure.

Sources: RFC 9727 (api-catalog), RFC 9264 (link sets), https://www.sitemaps.org/protocol.html, RFC 9309 (robots.txt).
``/.well-known/void`` is registered, too (VoID, 7.2). ``/.well-known/dcat`` is not, and nobody asks for it.
"""

from collections.abc import Iterable
from typing import Any
from urllib.parse import urlsplit
from xml.sax.saxutils import escape

LINKSET = "application/linkset+json"
API_CATALOG_PROFILE = "https://www.rfc-editor.org/info/rfc9727"


def api_catalog(base: str) -> dict[str, Any]:
    """Return the link set of the interfaces that there are."""
    openapi = {"href": f"{base}/openapi.json", "type": "application/json"}
    docs = {"href": f"{base}/docs", "type": "text/html"}
    status = {"href": f"{base}/health", "type": "application/json"}
    catalogue = {"href": f"{base}/catalogue", "type": "application/ld+json"}
    described = {"href": f"{base}/sparql", "type": "text/turtle"}
    return {
        "linkset": [
            {
                "anchor": f"{base}/.well-known/api-catalog",
                "item": [{"href": f"{base}/"}, {"href": f"{base}/sparql"}, {"href": f"{base}/feed"}],
            },
            {
                "anchor": f"{base}/",
                "service-desc": [openapi],
                "service-doc": [docs],
                "service-meta": [catalogue],
                "status": [status],
            },
            {"anchor": f"{base}/sparql", "service-desc": [described], "service-doc": [docs], "status": [status]},
            {"anchor": f"{base}/feed", "service-desc": [openapi], "service-doc": [docs], "status": [status]},
        ]
    }


def links(base: str) -> str:
    """Return the ``Link`` header (RFC 8288) that leads from the home page and the descriptions on."""
    return ", ".join(
        [
            f'<{base}/catalogue>; rel="describedby"; type="application/ld+json"',
            f'<{base}/openapi.json>; rel="service-desc"; type="application/json"',
            f'<{base}/docs>; rel="service-doc"; type="text/html"',
            f'<{base}/health>; rel="status"; type="application/json"',
            f'<{base}/.well-known/api-catalog>; rel="api-catalog"; type="{LINKSET}"',
        ]
    )


def robots(base: str) -> str:
    """Return what robots are asked: all is for them, but not the queries of others."""
    return f"User-agent: *\nDisallow: {urlsplit(base).path}/sparql\nSitemap: {base}/sitemap.xml\n"


def sitemap(addresses: Iterable[str]) -> str:
    """Return a sitemap of pages.

    >>> sitemap(["https://deboodt.example/?a&b"]).count("&amp;")
    1
    """
    urls = "".join(f"<url><loc>{escape(one)}</loc></url>\n" for one in addresses)
    head = '<?xml version="1.0" encoding="UTF-8"?>\n<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">\n'
    return f"{head}{urls}</urlset>\n"
