"""The web application.

``core`` has what pages and API share, ``pages`` the pages, ``api`` the JSON API. ``pages`` and ``api`` never
import each other; both call the domain packages.
"""
