"""SPARQL as data: one query per ``.rq`` file, each with a header that says what it asks and of whom."""
