"""Ask: an identifier and a page number come in, a typed page or one error of the tree goes out.

``client`` speaks HTTP (it alone knows httpx), ``body`` reads one answer within its size limit,
``wire`` reads a page, ``record`` one record, ``kept`` and ``scan`` what is not quite JSON; ``pace`` says how
long to wait before asking again.
"""
