"""Why somebody may not do what they asked for, in a sentence for people."""

from __future__ import annotations

from typing import Any


class Refused(Exception):
    """A plain answer to a person: not a fault of the program. `reason` is a full, translated sentence."""

    def __init__(self, reason: Any):
        super().__init__(str(reason))
        self.reason = str(reason)
