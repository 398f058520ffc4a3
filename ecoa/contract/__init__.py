"""The eCOA participant contract, shared by the client and the service. No models, no network, no clock.

Calls: `requests` and `answers` turn messages into bytes and back, `paths` says where to send them,
`codes` what a refusal means, `schemas` what the messages look like, `errors` what can be wrong with one.
"""

from ecoa.contract.answers import (
    read_participant,
    read_participant_id,
    read_region,
    read_token,
    write_failure,
    write_participant,
    write_participant_id,
    write_region,
    write_token,
)
from ecoa.contract.codes import Code, ErrorType, ResponseStatus, find_code
from ecoa.contract.errors import ContractError, FailureAnswer, InvalidRequest, UnreadableAnswer
from ecoa.contract.paths import (
    DEFAULT_VERSION,
    Region,
    authorize_url,
    discover_url,
    is_version,
    participant_query_url,
    participant_url,
)
from ecoa.contract.requests import (
    BODY_MAX,
    read_authorize,
    read_discover,
    read_internal_id,
    read_participant_post,
    write,
)
from ecoa.contract.schemas import (
    IDENTIFIER_MAX,
    AuthorizeExternalRequest,
    DiscoverStudySiteRequest,
    ParticipantData,
    ParticipantExternalPostRequest,
)

__all__ = [
    "BODY_MAX",
    "DEFAULT_VERSION",
    "IDENTIFIER_MAX",
    "AuthorizeExternalRequest",
    "Code",
    "ContractError",
    "DiscoverStudySiteRequest",
    "ErrorType",
    "FailureAnswer",
    "InvalidRequest",
    "ParticipantData",
    "ParticipantExternalPostRequest",
    "Region",
    "ResponseStatus",
    "UnreadableAnswer",
    "authorize_url",
    "discover_url",
    "find_code",
    "is_version",
    "participant_query_url",
    "participant_url",
    "read_authorize",
    "read_discover",
    "read_internal_id",
    "read_participant",
    "read_participant_id",
    "read_participant_post",
    "read_region",
    "read_token",
    "write",
    "write_failure",
    "write_participant",
    "write_participant_id",
    "write_region",
    "write_token",
]
