"""What can go wrong between two vaults without anybody having refused."""

from __future__ import annotations


class CarrierError(Exception):
    """No answer came back; the message may or may not have arrived. One sentence."""


class OtherInstallation(CarrierError):
    """The peer lives in another installation, which this version cannot reach."""

    def __init__(self) -> None:
        super().__init__("Connecting to a Vault of another installation is not available in this version.")
