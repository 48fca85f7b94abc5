"""Detects a page size that HRIMS does not give.

Input: the responses of a pass. Output: the page size that HRIMS does give. ``evidence`` is pure. ``fit``
requests single records if responses contradict one another. ``check`` tests a known size at the end of a run.
``restarts`` limits how often a pass restarts. ``store`` saves what was found.
"""
