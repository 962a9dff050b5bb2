"""A point of acceptance: one line each, printed as it is known, and the count at the end."""

import threading
import time
import traceback


class Points:
    """Collects and prints `pass|fail  point  figure  wanted`. Any thread."""

    def __init__(self, only=""):
        self._only = only
        self._passed = 0
        self._all = 0
        self._started = time.monotonic()
        self._lock = threading.Lock()

    def wanted_here(self, point):
        """True where the command line asks for this point, or for all."""
        return self._only in point

    def say(self, point, passed, figure, wanted):
        if not self.wanted_here(point):
            return
        figure = " ".join(str(figure).split())
        with self._lock:
            self._all += 1
            self._passed += bool(passed)
            print(f"{'pass' if passed else 'fail'}  {point}  {figure}  {wanted}", flush=True)

    def note(self, text):
        """What a person wants to see of a failure; not a point."""
        with self._lock:
            for line in str(text).splitlines():
                print(f"      {line}", flush=True)

    def attempt(self, point, wanted, work):
        """`work` returns (passed, figure); an exception is a fail with its text."""
        if not self.wanted_here(point):
            return
        try:
            passed, figure = work()
        except Exception as error:  # A point that breaks is a fail of that point, not the end of the others.
            traceback.print_exc()
            passed, figure = False, f"{type(error).__name__}: {str(error)[-300:]}"
        self.say(point, passed, figure, wanted)

    def close(self):
        """Prints the last line; the exit code of the whole."""
        print(f"      {(time.monotonic() - self._started) / 60:.1f} minutes", flush=True)
        print(f"{self._passed} of {self._all} points", flush=True)
        return 0 if self._all and self._passed == self._all else 1
