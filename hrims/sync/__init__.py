"""One run: an attempt comes in from ``jobs``; people in the database and an outcome go out.

``task`` takes it from the queue and knows the kinds of runs, which share their ``work``: ``run`` is the
story of a sync or a preview, top to bottom; ``apply`` saves what a preview kept, ``rejected`` asks again
for rejects, ``person`` for one person. ``readings`` reads a listing, or parts of it again, with a ``crew``
that asks for pages at the same time as the ``plan`` says, over ``spans`` of positions (``cursor``: what is
left, ``throttle``: how much at once, ``failure_policy``: what a failure means, ``availability``: whether
HRIMS is there); ``pages`` asks for one page and saves it in one transaction; ``reconcile`` adds up whether
everybody is there, against the total that ``closing`` asks for meanwhile; ``settle`` draws the conclusions
in the transaction that ends the run; ``store`` has the SQL of checkpoint, progress and outcome.
"""
