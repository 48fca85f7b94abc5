"""Changes of the HRIMS connection by administrators.

Input: what an administrator typed. Output: a change, which can be stored until it is approved, and then the
saved connection. ``hrims.remote.connection`` reads it.
"""
