"""What people and machines see: requests come in; pages, fragments, JSON and event streams go out.

Every request passes ``guard`` (who asks, and may they?), then a view, then ``headers``; whatever goes
wrong leaves through ``errors``. ``parts`` holds what views share, ``forms`` what makes a form ours,
``looks`` what templates use. The rest is a file a screen, and ``api``, ``stream``, ``health`` for machines.
"""
