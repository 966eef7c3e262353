"""Dumps of Commons and Wikidata: entity JSON, one entity a line, read whole on all cores. In: files. Out: Parquet, records."""
