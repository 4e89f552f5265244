"""The set of active products; a product withdrawn during a run is not saved again by it."""

import threading
from collections.abc import Generator
from contextlib import contextmanager


class ActiveProducts:
    """The active products, and those a run of which is being saved now. Thread-safe."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._gone: set[str] = set()
        self._saved_now: set[str] = set()

    def add(self, product: str) -> None:
        """Mark a product as active (again)."""
        with self._changed:
            self._gone.discard(product)

    def remove(self, product: str) -> None:
        """Mark a product as withdrawn; wait for a save of it that is under way."""
        with self._changed:
            self._gone.add(product)
            self._changed.wait_for(lambda: product not in self._saved_now)

    @contextmanager
    def saving(self, product: str) -> Generator[bool]:
        """Hold the product while a run of it is saved; yield False if it is withdrawn.

        No two runs of one product are saved at once: the scheduler sees to that.
        """
        with self._changed:
            is_served = product not in self._gone
            if is_served:
                self._saved_now.add(product)
        try:
            yield is_served
        finally:
            with self._changed:
                self._saved_now.discard(product)
                self._changed.notify_all()
