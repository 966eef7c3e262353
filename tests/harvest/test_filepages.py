"""Object numbers in the templates of file pages, asked of the stand-in as of Commons."""

from harvest.filepages import template_numbers
from harvest.standin.server import StandIn
from harvest.standin.world import File, Revision, World
from harvest.wiki import Api
from linkeddata.client import Client


def _file(number: int, wikitext: str) -> File:
    edit = Revision(id=number, user="Ann", moment="2021-10-03T14:05:00Z", comment="", wikitext=wikitext)
    return File(page_id=number, title=f"File:Plate {number}.jpg", revisions=(edit,))


def test_numbers_come_from_the_pages_and_from_no_other_site() -> None:
    files = [_file(n, f"{{{{Artwork\n |title = Plate\n |accession number = RP-T-{n}\n}}}}") for n in range(1, 61)]
    files += [
        _file(61, "{{Information|source=a museum}}"),
        _file(62, "{{Artwork|accession number=A 1|object number=B 2}}"),
    ]
    with StandIn(World(files=tuple(files))) as standin, Client(standin.settings(), sleep=lambda _: None) as client:
        api = Api.of(client, standin.settings())
        asked = [*(api.site.iri(n) for n in range(1, 64)), "https://elsewhere.example/M1"]
        found = list(template_numbers(api, asked))
        assert standin.requests.count("/w/api.php") == 2
        wanted = [(api.site.iri(n), f"RP-T-{n}") for n in range(1, 61)]
        assert found == [*wanted, (api.site.iri(62), "A 1"), (api.site.iri(62), "B 2")]
