"""The offline name resolver: a read-only index of checklists in one file, and answers in GBIF's sense from it.

::

    from linkeddata.nameindex.build import build_index
    from linkeddata.nameindex.sources import open_source
    from linkeddata.nameindex.index import open_index
    from linkeddata.nameindex.answers import NameQuery
    from linkeddata.nameindex.resolve import resolve_names, to_taxon

    report = build_index([open_source(path)], Path("names.index"))
    with open_index(Path("names.index")) as index:
        for answer in resolve_names(index, [NameQuery("Parus caeruleus Linnaeus, 1758", kingdom="Animalia")]):
            print(answer.match_type, answer.accepted_name)
"""
