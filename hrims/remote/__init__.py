"""Requests records from HRIMS. Input: an identifier and a page number. Output: a typed page, or one
RemoteError.

``client`` does HTTP and is the only module here that imports httpx. ``body`` reads one response within its
size limit. ``wire`` decodes a page and ``record`` one record. ``field_filter`` and ``scan`` read what is not
quite JSON. ``retry_after`` calculates the wait before the next request.
"""
