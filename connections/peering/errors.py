"""What can go wrong between two vaults without anybody having refused."""

from __future__ import annotations

from datetime import timedelta


class CarrierError(Exception):
    """No answer came back; the message may or may not have arrived. One sentence, and how long we are asked to wait."""

    def __init__(self, sentence: str, *, retry_after: timedelta = timedelta(0)) -> None:
        super().__init__(sentence)
        self.retry_after = retry_after
