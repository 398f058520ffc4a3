"""Requests and answers of the contract as schemas. Field order is the order on the wire.

Names, types and required fields are the published ones (tests/ecoa/contract compares them); the limits on
identifiers are ours, because an identifier that is blank or carries control characters cannot be one.
"""
# ruff: noqa: N815 - the fields are spelled as on the wire

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from ecoa.contract.codes import ErrorType

IDENTIFIER_MAX = 255
SECRET_MAX = 1024
# Something visible, and no control characters anywhere.
IDENTIFIER_PATTERN = r"^[^\x00-\x1f\x7f]*[^\x00-\x20\x7f][^\x00-\x1f\x7f]*$"

EXAMPLE_SYSTEM = "mv-ext-NT-VeevaPharm-RTSM"
EXAMPLE_TENANT = "NT-VeevaPharm-RTSM"
EXAMPLE_STUDY = "5c8684a9-f2ec-4c69-b4bc-16cd05450fc2"
EXAMPLE_SITE = "1005"
EXAMPLE_INTERNAL_ID = "925c6db2-b07b-49fe-8f92-0f6a2cb405a6"

Identifier = Annotated[str, StringConstraints(min_length=1, max_length=IDENTIFIER_MAX, pattern=IDENTIFIER_PATTERN)]
SecretText = Annotated[str, StringConstraints(min_length=1, max_length=SECRET_MAX, pattern=r"^[^\x00]*$")]


class _Message(BaseModel):
    """Unknown fields are ignored: the contract is Veeva's and may grow."""

    model_config = ConfigDict(extra="ignore", frozen=True, strict=True)


class DiscoverStudySiteRequest(_Message):
    externalSystemId: Identifier = Field(
        description="The system ID in the integrating system.", examples=[EXAMPLE_SYSTEM]
    )
    externalStudySiteId: Identifier = Field(
        description="The study site ID in the integrating system.", examples=[EXAMPLE_SITE]
    )
    externalSponsorStudyId: Identifier = Field(
        description="The study ID in the integrating system.", examples=[EXAMPLE_STUDY]
    )


class AuthorizeExternalRequest(_Message):
    externalSystemId: Identifier = Field(
        description="The ID associated with the integrating system.", examples=[EXAMPLE_SYSTEM]
    )
    externalSystemSecret: SecretText = Field(
        description="The secret of the integrating system.", examples=["your-secret"], repr=False
    )
    tenantId: Identifier = Field(
        description="The entity on whose behalf the integrating system calls.", examples=[EXAMPLE_TENANT]
    )


class ParticipantExternalPostRequest(_Message):
    participantId: Identifier = Field(
        description="The participant ID in the integrating system.", examples=["1005-003"]
    )
    internalId: Identifier = Field(
        description="The unique ID for the participant in the calling system.", examples=[EXAMPLE_INTERNAL_ID]
    )


class Error(_Message):
    code: str = Field(default="", description="The code within the error type.")
    message: str = Field(default="", description="What the code means.")


class StudySiteData(_Message):
    region: str = Field(default="", description="The regional base URL where the study site exists.")


class ParticipantData(_Message):
    myVeevaParticipantId: str = Field(default="", description="The unique participant ID in eCOA.")
    participantId: str = Field(default="", description="The unique participant ID in the integrating system.")


class _Answer(_Message):
    responseStatus: str = Field(default="", description="The response status of the request.")
    responseMessage: str = Field(default="", description="What went wrong, empty on success.")
    errorType: ErrorType | None = Field(default=None, strict=False, description="The type of error, null on success.")
    errors: list[Error] = Field(default_factory=list, description="Code and message of each error.")


class DiscoverStudySiteResponse(_Answer):
    data: list[StudySiteData] = Field(description="Where the study site is.")


class AuthorizeExternalResponse(_Message):
    jwt: str = Field(description="The access token for the participant calls.", repr=False)


class ParticipantExternalGetResponse(_Answer):
    data: list[ParticipantData] = Field(description="The participant.")


class ParticipantExternalPostResponse(_Answer):
    data: list[str] = Field(description="The myVeevaParticipantId of the participant.")


class FailureResponse(_Answer):
    data: list[str] = Field(max_length=0, description="Always empty.")
