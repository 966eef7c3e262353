"""Labelled datasets: what goes in, on which side it stands, what is written and what is told of it.

``building`` puts the parts together: ``selection`` says which files are used, ``splits`` on which side each stands,
``folder`` writes; ``manifest`` is what others read.
"""
