"""The end of a list: a reading comes in; the latest total, and proof that nothing follows it, go out.

``end`` asks for the page behind the list, ``closing`` does so while the last pages are in flight, ``store``
looks up what the reading has saved.
"""
