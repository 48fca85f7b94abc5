"""The delivery of webhook messages. Input: a message that is due. Output: a signed request and its result.

``attempt`` makes one attempt. ``post`` sends the request, only to ``addresses`` that are allowed. ``signing``
signs by Standard Webhooks, ``backoff`` is the backoff between attempts, ``store`` has the SQL.
"""
