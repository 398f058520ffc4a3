"""The four calls, each from raw input to the bytes of its answer.

The order of the questions is the same everywhere: who asks (401), is the message whole (ID-0001), in which version
(NF-0001), do we know the study and the site and may the caller use them, and only then the work.
Raises Refusal, contract.InvalidRequest or faults.SpoiledReply; anything else is an unexpected error.
"""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from ecoa import contract
from ecoa.contract import Code
from ecoa.service import directory, faults, regions, rotation, store, systems, tokens
from ecoa.service.directory import Place, Question
from ecoa.service.models import MappingState, ServiceSystem
from ecoa.service.models.faults import FaultCall, FaultKind
from ecoa.service.refusals import Refusal, Unauthorized
from ecoa.service.store import Spot
from vaultadmin import clock

_SITE_UNKNOWN = "Study site not found"
_ADDRESS_REFUSED = "Calls from your address are not allowed"


@dataclass(frozen=True, slots=True)
class Target:
    """What the address of a participant call names."""

    region: str
    version: str
    study: str
    site: str


@dataclass(frozen=True, slots=True)
class Caller:
    """What the request says about who sent it: its Authorization header and the address it came from."""

    authorization: str
    address: str


@dataclass(frozen=True, slots=True)
class Ids:
    """A participant as the caller names it; a read names no participant id."""

    internal: str
    participant: str = ""


def discover(*, version: str, raw: bytes, address: str, origin: str) -> bytes:
    """Name the region of a site. Nobody signs in here, so an unknown system is answered like an unknown study."""
    asked = contract.read_discover(raw)
    _check_version(version)
    place = directory.look_up(
        Question(
            system=asked.externalSystemId,
            secret=0,
            tenant="",
            study=asked.externalSponsorStudyId,
            site=asked.externalStudySiteId,
            region=faults.GLOBAL,
            call=FaultCall.DISCOVER.value,
        )
    )
    if place is None:
        raise _unmapped()
    if not systems.may_call_from(place.allowed_addresses, address):
        raise Unauthorized(_ADDRESS_REFUSED)
    _, _, region = _locate(place, asked.externalStudySiteId)

    def name(named: str) -> bytes:
        return contract.write_region(regions.url_of(named, origin=origin))

    return faults.carry_out(
        lambda: name(region),
        region=faults.GLOBAL,
        call=FaultCall.DISCOVER,
        armed=place.faults_armed,
        instead={FaultKind.WRONG_REGION: lambda: name(regions.other_than(region))},
    )


def authorize(*, region: str, version: str, raw: bytes, address: str, now: datetime) -> bytes:
    """Exchange a system's secret for a token. One reason for all that can be wrong with the credentials."""
    asked = contract.read_authorize(raw)
    _check_version(version)
    system = ServiceSystem.objects.filter(external_id=asked.externalSystemId).first()
    # A system nobody has stored has no secrets and no tenants, and looking for them costs the same.
    sought = system or ServiceSystem(pk=0)
    serves_tenant = sought.tenants.filter(tenant_id=asked.tenantId).exists()
    secret = rotation.matching(list(rotation.live(sought, now=now)), asked.externalSystemSecret)
    if system is None or secret is None or not serves_tenant:
        raise Unauthorized("The system, its secret or the tenant is wrong")
    if not systems.may_call_from(system.allowed_addresses, address):
        raise Unauthorized(_ADDRESS_REFUSED)

    def issue(moment: datetime) -> bytes:
        token = tokens.mint(
            system=system.external_id,
            tenant=asked.tenantId,
            region=region,
            secret_version=secret.version,
            now=moment,
        )
        return contract.write_token(token)

    return faults.carry_out(
        lambda: issue(now),
        region=region,
        call=FaultCall.AUTHORIZE,
        armed=True,
        instead={FaultKind.EXPIRED_TOKEN: lambda: issue(now - 2 * tokens.lifetime())},
    )


def read_participant(*, target: Target, caller: Caller, internal_id: str | None) -> bytes:
    """Answer what the store of this region knows of a participant at this site."""

    def read() -> Ids:
        return Ids(internal=contract.read_internal_id(internal_id))

    def work(ids: Ids, spot: Spot) -> bytes:
        found, participant_id = store.find(spot, internal_id=ids.internal)
        return contract.write_participant(my_veeva_participant_id=str(found), participant_id=participant_id)

    return _on_the_spot(target, caller, FaultCall.GET, read, work)


def write_participant(*, target: Target, caller: Caller, raw: bytes, now: datetime) -> bytes:
    """Create a participant, or give a known one this participant id and this site."""

    def read() -> Ids:
        sent = contract.read_participant_post(raw)
        return Ids(internal=sent.internalId, participant=sent.participantId)

    def work(ids: Ids, spot: Spot) -> bytes:
        written = store.upsert(spot, internal_id=ids.internal, participant_id=ids.participant, now=now)
        return contract.write_participant_id(str(written))

    return _on_the_spot(target, caller, FaultCall.POST, read, work)


def _on_the_spot(
    target: Target, caller: Caller, call: FaultCall, read: Callable[[], Ids], work: Callable[[Ids, Spot], bytes]
) -> bytes:
    """Do the work where the caller may: as remembered while that holds, else as the database has it.

    What is remembered only ever leads to success; before anything is refused on its account, the database is asked.
    """
    claims = tokens.read(caller.authorization, region=target.region)
    question = Question(
        claims.system, claims.secret_version, claims.tenant, target.study, target.site, target.region, call.value
    )
    known = directory.remembered(question)
    if known is not None:
        with suppress(store.Outdated, contract.InvalidRequest, Refusal):
            _admit(known, caller)
            return work(read(), _spot(known, target, known.revision))
    place = _admit(directory.look_up(question), caller)
    ids, spot = read(), _spot(place, target, None)
    directory.remember(question, place)
    return faults.carry_out(
        lambda: work(ids, spot),
        region=target.region,
        call=call,
        armed=place.faults_armed,
        internal_id=ids.internal,
        instead={FaultKind.EXPIRED_TOKEN: _refuse_token, FaultKind.WRONG_REGION: _refuse_site},
    )


def _refuse_token() -> bytes:
    raise Unauthorized(tokens.WRONG)


def _refuse_site() -> bytes:
    raise Refusal(Code.SITE_NOT_FOUND, _SITE_UNKNOWN)


def _admit(place: Place | None, caller: Caller) -> Place:
    """The place, once the secret and the tenant of the token and the caller's address all hold there."""
    if place is None or not place.admits(clock.now()):
        raise Unauthorized(tokens.WRONG)
    if not systems.may_call_from(place.allowed_addresses, caller.address):
        raise Unauthorized(_ADDRESS_REFUSED)
    return place


def _spot(place: Place, target: Target, revision: UUID | None) -> Spot:
    """Where to work, when the version is one and the site's participants are kept in the region asked."""
    _check_version(target.version)
    study_id, site_id, region = _locate(place, target.site)
    if region != target.region:
        raise Refusal(Code.SITE_NOT_FOUND, _SITE_UNKNOWN)
    return Spot(study_id, site_id, region, revision)


def _locate(place: Place, site: str) -> tuple[int, int, str]:
    """Study id, site id and region of a place the caller may use; else the code that says why not."""
    if place.study_id is None:
        raise _unmapped()
    if place.mapping_state == MappingState.WITHDRAWN:
        raise Refusal(Code.MAPPING_WITHDRAWN, "Integration mapping not found")
    if not (place.system_enabled and place.study_enabled):
        raise Refusal(Code.INTEGRATION_DISABLED, "External integration not enabled")
    if place.site_id is None or place.site_region is None:
        if directory.site_is_elsewhere(place=place, site=site):
            raise Refusal(Code.SITE_OF_OTHER_STUDY, "The site belongs to another study")
        raise Refusal(Code.SITE_NOT_FOUND, _SITE_UNKNOWN)
    if not regions.is_configured(place.site_region):
        raise Refusal(Code.INVALID_CONFIG, "The region of the site is not configured")
    return place.study_id, place.site_id, place.site_region


def _unmapped() -> Refusal:
    return Refusal(Code.STUDY_NOT_FOUND, "Mapping info not found")


def _check_version(version: str) -> None:
    if not contract.is_version(version):
        raise Refusal(Code.NOT_FOUND, "The API version is unknown")
