"""Clients that ask all the time."""

import threading


class Asking:
    """In the block each of these paths is asked for again and again; count is how many answers
    there were so far, and statuses which."""

    def __init__(self, adapter, *paths):
        self.count = 0
        self.statuses = set()
        self._over = threading.Event()
        self._threads = [
            threading.Thread(target=self._ask, args=(adapter, path), daemon=True) for path in paths
        ]

    def _ask(self, adapter, path):
        while not self._over.wait(0.005):
            self.statuses.add(adapter.status_of(path))
            self.count += 1

    def __enter__(self):
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self._over.set()
        for thread in self._threads:
            thread.join()
