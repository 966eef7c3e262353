"""Dumps of Commons and Wikidata: entity JSON read whole, on all cores. In: files. Out: Parquet, records."""
