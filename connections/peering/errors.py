"""What can go wrong between two vaults without anybody having refused."""

from __future__ import annotations

from datetime import timedelta


class CarrierError(Exception):
    """No answer came back; the message may or may not have arrived. One sentence.

    `retry_after` is how long we are asked to wait; `silence` says that nobody answered at all, so that other messages
    for the same host need not wait for it as long in turn.
    """

    def __init__(self, sentence: str, *, retry_after: timedelta = timedelta(0), silence: bool = False) -> None:
        super().__init__(sentence)
        self.retry_after, self.silence = retry_after, silence
