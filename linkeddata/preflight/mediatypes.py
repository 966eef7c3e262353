"""Media types that IANA has registered, of those that linked data and its dumps come in. In: a type. Out: whether.

Source: https://www.iana.org/assignments/media-types/; the suffixes +gzip and +zip are of RFC 8460 and RFC 6839.
"""

REGISTERED = frozenset(
    {
        "application/activity+json", "application/geo+json", "application/gzip", "application/json",
        "application/ld+json", "application/linkset+json", "application/n-quads", "application/n-triples",
        "application/octet-stream", "application/openapi+json", "application/problem+json", "application/rdf+xml",
        "application/sparql-query", "application/sparql-results+json", "application/sparql-results+xml",
        "application/trig", "application/vnd.apache.arrow.file", "application/vnd.apache.parquet", "application/xml",
        "application/zip", "application/zstd", "image/jpeg", "image/png", "image/gif", "image/tiff", "image/webp",
        "text/csv", "text/html", "text/javascript", "text/css", "text/markdown", "text/plain",
        "text/tab-separated-values", "text/turtle", "text/xml",
    }
)  # fmt: skip
SUFFIXES = ("+gzip", "+zip", "+zstd")


def registered(media_type: str) -> bool:
    """Return whether a media type is registered, the packing behind it left aside.

    >>> registered("application/n-quads+gzip"), registered("application/x-parquet"), registered("text/markdown;q=1")
    (True, False, True)
    """
    bare = media_type.partition(";")[0].strip().lower()
    for suffix in SUFFIXES:
        bare = bare.removesuffix(suffix)
    return bare in REGISTERED
