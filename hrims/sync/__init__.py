"""One run: an attempt comes in from ``jobs``; people in the database and an outcome go out.

``task`` takes it from the queue and knows the kinds of runs, which share their ``work``: ``run`` is the
story of a sync or a preview, top to bottom; ``apply`` saves what a preview kept, ``rejected`` asks again
for rejects, ``person`` for one person. ``readings`` reads a listing, or parts of it again, with a ``crew``
that asks for pages at the same time as the ``plan`` says, over ``spans`` of positions (``cursor``: what is
left, ``throttle``: how much at once, ``failure_policy``: what a failure means, ``availability``: whether
HRIMS is there); ``ask_page`` asks for one page, ``single`` for one record, ``pages`` saves a page in one
transaction; ``retry`` repeats what is asked beside the pages. What HRIMS sent is doubted: ``page_fit`` finds
a page size that it does not give, ``list_end`` asks what follows the end of the list, ``repeats`` decides
between records that share a ZanID. ``reconcile`` compares the sum with the total; ``settle`` draws the
conclusions in the transaction that ends the run; ``store`` has the SQL of checkpoint, progress and outcome.
"""
