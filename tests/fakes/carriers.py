from dataclasses import dataclass, field
from datetime import datetime

from connections.peering import carriers, local
from connections.peering.errors import CarrierError
from connections.peering.messages import Party
from connections.peering.protocol import ProtocolError

PERFECT, LOSE_MESSAGE, LOSE_ANSWER, TWICE, GARBLE = "perfect", "lose_message", "lose_answer", "twice", "garble"
FAULTS = (LOSE_MESSAGE, LOSE_ANSWER, TWICE, GARBLE)


@dataclass
class UnreliableCarrier:
    """The local carrier with faults: what comes next is `fault`; everything carried is kept, to come again later."""

    fault: str = PERFECT
    carried: list[tuple[bytes, Party]] = field(default_factory=list)

    def deliver(self, raw: bytes, *, to: Party, now: datetime, **_network: object) -> bytes:
        self.carried.append((raw, to))
        if self.fault == LOSE_MESSAGE:
            raise CarrierError("Lost on the way.")
        if self.fault == GARBLE:
            raw = raw[: len(raw) // 2] + b"~" + raw[len(raw) // 2 + 1 :]
        answer = local.deliver(raw, to=to, now=now)
        if self.fault == TWICE:
            answer = local.deliver(raw, to=to, now=now)
        if self.fault == LOSE_ANSWER:
            raise CarrierError("The answer was lost.")
        return answer

    def again(self, number: int, *, now: datetime) -> bytes | None:
        """Deliver an old message once more, out of its order."""
        raw, to = self.carried[number % len(self.carried)]
        try:
            return local.deliver(raw, to=to, now=now)
        except ProtocolError:
            return None


def use(monkeypatch, carrier: UnreliableCarrier) -> UnreliableCarrier:
    monkeypatch.setattr(carriers, "carrier_for", lambda peer: carrier)
    return carrier
