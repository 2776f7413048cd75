"""Which process this is: a fork makes another one."""

import os
from collections.abc import Callable


def in_each_child(begin: Callable[[], object]) -> None:
    """Call *begin* in every process that is forked from this one, first of all."""
    if hasattr(os, "register_at_fork"):  # pragma: no branch - Windows has no fork
        os.register_at_fork(after_in_child=begin)


class Process:
    """This process: *number* says how many forks lie between the program's first one and this."""

    def __init__(self) -> None:
        """Be the first process, until a fork."""
        self.number = 0
        in_each_child(self._forked)

    def _forked(self) -> None:
        self.number += 1


process = Process()
