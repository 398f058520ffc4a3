"""How a call of the service ends when the answer is no."""

from ecoa.contract import Code


class Refusal(Exception):
    """A documented code with the reason at hand; `status` is the HTTP status it travels with."""

    def __init__(self, code: Code, reason: str, *, status: int = 200) -> None:
        super().__init__(f"{code.value}: {reason}")
        self.code = code
        self.reason = reason
        self.status = status


class Unauthorized(Refusal):
    """HTTP 401. The published table has no code for it, so the envelope says Invalid Data and the status the rest."""

    def __init__(self, reason: str) -> None:
        super().__init__(Code.INVALID_DATA, reason, status=401)
