"""Whether HRIMS gives the pages that are asked for: answers of a pass come in, the page size that fits goes
out.

``evidence`` is pure, ``fit`` asks single records where the answers contradict one another, ``store`` keeps
what was found.
"""
