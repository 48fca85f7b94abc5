"""The page sizes that one pass found. Input: each finding. Output: an error if no size fits. Pure."""

from hrims.errors import RemoteEndless
from hrims.jobs.enqueue import MAX_PAGE_SIZE
from hrims.sync.page_fit.fit import PageSizeFound

MAX_LONGER = 2
"""Larger page sizes that one pass finds in a row. After them, HRIMS always gives more records than requested.
"""


class Restarts:
    """The page sizes of one pass; the one in use is last."""

    def __init__(self, size: int) -> None:
        self._sizes = [size]
        self._is_capped = False

    @property
    def size(self) -> int:
        """Records per page of the pass."""
        return self._sizes[-1]

    def add(self, found: PageSizeFound) -> None:
        """Use the size that was found.

        Raises RemoteEndless if HRIMS gives more or fewer records than requested for every page size.
        """
        before = self.size
        self._sizes.append(found.size)
        is_always_longer = self._sizes == sorted(self._sizes) and len(self._sizes) > MAX_LONGER
        if found.size > MAX_PAGE_SIZE or is_always_longer:
            raise RemoteEndless(f"{found} They are not the ones asked for, so none can be saved.")
        if found.is_cap and self._is_capped:
            raise RemoteEndless(
                "HRIMS sends fewer records than it is asked for, whatever the page size:"
                f" {found.size:,} of a page of {before:,}."
            )
        self._is_capped |= found.is_cap
