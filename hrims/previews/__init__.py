"""Previews: runs that save no employee and show what they would change. Input: the mapped pages of a run.
Output: the difference from the current employees, which a user may apply.

``store`` saves the employees of a page in the page's transaction. It calculates the difference at each
request, against the employees at that time. ``difference`` has the types of a difference. ``actions`` applies
or discards a preview. ``cleaner`` deletes what is no longer needed, so that personal data does not
accumulate. ``sync/apply.py`` executes the run that applies a preview.
"""
