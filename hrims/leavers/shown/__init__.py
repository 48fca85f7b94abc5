"""Departures as pages and the API show them: which wait, which were carried out lately, and whose they are.
It writes nothing.
"""
