"""What needs two users: one requests it, another approves it, then it is done in the same transaction.

Input: a request or a decision. Output: an approval that waits, or what was done. The leavers of a run have
their own approvals (``hrims/leavers``), because they wait from the run on.
"""
