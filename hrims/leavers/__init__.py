"""Who left: a complete run, or a person's decision, comes in; lists that end, leavers and their history go
out. Nobody is deleted, and an error is never an absence.

``settle`` draws the conclusions of a run in the transaction that ends it; ``threshold`` says, purely, when
a second person must approve them; ``decide`` approves, refuses and undoes; ``store`` and ``leave.sql`` have
the SQL; the room ``shown`` reads what pages and the API show.
"""
