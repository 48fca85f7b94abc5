"""What an operator watches. Input: the database, HRIMS, this host. Output: metrics, checks and what to do.

``store`` reads figures, ``collector`` gives them to Prometheus, ``exposition`` serves them.
"""
