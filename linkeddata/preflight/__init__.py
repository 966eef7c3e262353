"""``deboodt publish check``: looks at what is published as its readers will, before they do.

In: an address at which it is served. Out: findings. Everything is asked over HTTP, as a reader asks.
"""
