"""The end of a list. Input: a pass. Output: the latest total, and proof that nothing follows it.

``end`` requests the page after the list, ``final_total`` does so while the last pages are in flight,
``store`` finds what the pass has saved.
"""
