"""Dumps over HTTP. In: the parts of all routes, whose home has what ``linkeddata.dumps`` wrote. Out: routes.

Only a folder with its checksums is whole, and only a whole one is shown. A dump of a day is not for ever: it says how
things stand now, and an answer of that day may be reviewed or withdrawn later. So readers ask again; a dump that is the
same has the same ETag, its SHA-256.
"""

import re
from pathlib import Path

import orjson
from fastapi import APIRouter, Request
from fastapi.responses import FileResponse, Response

from linkeddata import conditions
from linkeddata.catalogue.holdings import DataFile, written_at
from linkeddata.dumps import SUMS
from linkeddata.negotiation import JSON, JSON_LD
from linkeddata.parts import Parts
from linkeddata.problem import not_found
from linkeddata.responses import problems

TYPES = {
    "deboodt.nq.gz": "application/gzip",  # no Content-Encoding: what is saved must be what the checksum is of
    "deboodt.jsonl.gz": "application/gzip",
    "deboodt-dwca.zip": "application/zip",
    "identifications.parquet": "application/vnd.apache.parquet",
    "context.jsonld": JSON_LD,
}
_PART = re.compile(r"whole|[0-9]{4}-[0-9]{2}-[0-9]{2}")
_ASK_AGAIN = {"Cache-Control": "no-cache"}


def router(parts: Parts) -> APIRouter:
    """Return the routes of the dumps."""
    api = APIRouter(tags=["dumps"])
    home = parts.settings.home_path / "dumps"
    answers = {200: {"description": "A dump."}, 304: {"description": "Not changed."}, **problems(404, 412)}

    @api.get("/dumps", summary="The dumps there are", response_class=Response)
    def dumps() -> Response:
        """The whole and each day, with the address, media type, size and SHA-256 of each file."""
        listed = [{"id": name, "files": _files(parts.base, home / name)} for name in dump_parts(home)]
        body = orjson.dumps({"dumps": [one for one in listed if one["files"]]})
        return Response(body, media_type=JSON, headers=_ASK_AGAIN)

    @api.get("/dumps/{part}/{name}", summary="One file of a dump", response_class=Response, responses=answers)
    def dump(request: Request, part: str, name: str) -> Response:
        """`part` is `whole` or a day, `name` a file that `/dumps` lists, or `SHA256SUMS`; ranges are answered."""
        folder = home / part
        sums = _sums(folder) if _PART.fullmatch(part) else {}
        if name == SUMS and sums:
            body = "".join(f"{digest}  {one}\n" for one, digest in sums.items())
            return Response(body, media_type="text/plain", headers=_ASK_AGAIN)
        if name not in sums or not (folder / name).is_file():
            raise not_found("dump", f"{part}/{name}")
        headers = {"ETag": f'"{sums[name]}"', **_ASK_AGAIN}
        if status := conditions.answered(request.headers, headers["ETag"]):
            return Response(status_code=status, headers=headers)
        return FileResponse(folder / name, media_type=TYPES[name], headers=headers)

    return api


def dump_parts(home: Path) -> list[str]:
    """Return the names of the dumps there are: ``whole`` and days."""
    names = sorted(path.name for path in home.iterdir()) if home.is_dir() else []
    return [name for name in names if _PART.fullmatch(name) and _sums(home / name)]


def dump_files(folder: Path) -> list[DataFile]:
    """Return the files of a dump with their checksums; none while the folder is not whole."""
    return [
        DataFile(
            path=folder / name,
            media_type=TYPES[name],
            sha256=digest,
            bytes=(folder / name).stat().st_size,
            modified=written_at(folder / name),
        )
        for name, digest in _sums(folder).items()
        if (folder / name).is_file()
    ]


def _sums(folder: Path) -> dict[str, str]:
    """Return the SHA-256 of each file by name, none while the folder is not whole."""
    try:
        lines = (folder / SUMS).read_text(encoding="ascii").splitlines()
    except FileNotFoundError:
        return {}
    sums = {name: digest for digest, _, name in (line.partition("  ") for line in lines)}
    return {name: digest for name, digest in sums.items() if name in TYPES}


def _files(base: str, folder: Path) -> list[dict[str, str | int]]:
    return [
        {
            "url": f"{base}/dumps/{folder.name}/{one.name}",
            "mediaType": one.media_type,
            "bytes": one.bytes,
            "sha256": one.sha256,
        }
        for one in dump_files(folder)
    ]
