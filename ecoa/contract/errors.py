"""Everything that can be wrong with a message of the contract.

ContractError
├── InvalidRequest      the caller's message breaks the contract (the service answers ID-0001)
├── UnreadableAnswer    what came back is not an answer of the contract: HTML, cut short, another shape
└── FailureAnswer       a proper answer saying no: FAILURE envelope, or HTTP 401
"""

from ecoa.contract.codes import Code, find_code


class ContractError(Exception):
    """Base of the tree. `str(error)` is one sentence without secrets or values of the message."""


class InvalidRequest(ContractError):
    """A request body or parameter that is malformed or incomplete."""


class UnreadableAnswer(ContractError):
    """An answer nobody can interpret; whether the request took effect is therefore unknown.

    `status` is the HTTP status it came with.
    """

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(f"The answer (HTTP {status}) is not one of the eCOA contract: {reason}")
        self.status = status
        self.reason = reason


class FailureAnswer(ContractError):
    """The service answered, and the answer is no.

    `code` is the text of the first error as it came, "" when none came; `known_code` is it as a member of
    `Code`, None for a code the published table does not have.
    """

    def __init__(self, *, status: int, error_type: str, code: str, message: str, response_message: str) -> None:
        said = " ".join(part for part in (code, message or response_message) if part)[:300] or "no reason given"
        super().__init__(f"The eCOA service refused (HTTP {status}): {said}")
        self.status = status
        self.error_type = error_type
        self.code = code
        self.message = message
        self.response_message = response_message

    @property
    def known_code(self) -> Code | None:
        return find_code(self.code)

    @property
    def is_unauthorized(self) -> bool:
        """The token, the credentials or the caller's address were refused (401 carries no documented code)."""
        return self.status == 401
