from functools import lru_cache
from uuid import uuid4

from cryptography.hazmat.primitives.asymmetric import rsa
from django.db import transaction

from connections.constants import (
    AuthorizationType,
    CertificateStage,
    CloneBehavior,
    IntegrationPointType,
    LookupType,
    TokenType,
)
from connections.models import (
    Connection,
    ConnectionAuthorization,
    Integration,
    IntegrationPoint,
    ReferenceLookup,
    SigningCertificate,
    VaultToken,
)
from connections.services import authorizations, creating, tokens
from connections.services.handshake import files
from connections.services.signing import certificates
from tests.factories.people import make_member, make_vault
from vaultadmin import clock
from vaultadmin.models import Membership, Vault
from vaultadmin.permissions import Permission

ADMIN = (Permission.MANAGE_CONNECTIONS, Permission.WORKFLOW_START, Permission.WORKFLOW_PARTICIPATE)
APPROVER = (Permission.CONNECTION_READ, Permission.WORKFLOW_PARTICIPATE)
SECRET = "s3cret value"


@lru_cache(maxsize=4)
def shared_key(number: int = 0) -> rsa.RSAPrivateKey:
    # One key for the whole run: making one takes longer than most tests.
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def make_certificate(*, number: int = 1, stage: CertificateStage = CertificateStage.ACTIVE) -> SigningCertificate:
    certificate_id = f"{number:05d}"
    existing = SigningCertificate.objects.filter(certificate_id=certificate_id).first()
    if existing:
        return existing
    now = clock.now()
    stages = certificates.Stages(stage, published_at=now, test_at=now, release_at=now, final_at=now)
    with transaction.atomic():
        return certificates.issue(
            certificate_id,
            key=shared_key() if number == 1 else shared_key(number),
            name="Test installation",
            stages=stages,
            now=now,
        )


def make_admin(vault: Vault | None = None) -> Membership:
    return make_member(vault or make_vault(), *ADMIN)


def make_approver(vault: Vault) -> Membership:
    return make_member(vault, *APPROVER)


def make_vault_to_vault(by: Membership, **fields) -> Connection:
    make_certificate()
    values = {"name": "Safety link", "api_name": f"c{uuid4().hex[:12]}"} | fields
    return creating.create_vault_to_vault(by=by, now=clock.now(), **values)


def make_external(by: Membership, **fields) -> Connection:
    make_certificate()
    values = {"name": "RTSM", "api_name": f"c{uuid4().hex[:12]}", "url": "https://rtsm.example.com/"} | fields
    return creating.create_external(by=by, now=clock.now(), **values)


def make_local(by: Membership, **fields) -> Connection:
    make_certificate()
    values = {"name": "Itself", "api_name": f"c{uuid4().hex[:12]}"} | fields
    return creating.create_local(by=by, now=clock.now(), **values)


def make_authorization(by: Membership, **fields) -> ConnectionAuthorization:
    values = {
        "type": AuthorizationType.CLIENT_CREDENTIALS,
        "name": "RTSM credentials",
        "identity": "mv-ext-demo-RTSM",
        "secret": SECRET,
    }
    return authorizations.create(by=by, now=clock.now(), **(values | fields))


def download(connection: Connection, by: Membership) -> bytes:
    return files.issue(connection=connection, file_id=uuid4(), by=by, now=clock.now()).content


def make_integration(connection: Connection, **fields) -> Integration:
    now = clock.now()
    values = {"name": "Warranty claims", "api_name": f"i{uuid4().hex[:12]}__c", "created_at": now, "modified_at": now}
    return Integration.objects.create(connection=connection, vault=connection.vault, **(values | fields))


def make_point(integration: Integration, **fields) -> IntegrationPoint:
    now = clock.now()
    values = {
        "name": "Receive claims",
        "api_name": f"p{uuid4().hex[:12]}__c",
        "type": IntegrationPointType.RECEIVER,
        "system_managed": integration.system_managed,
        "created_at": now,
        "modified_at": now,
    }
    return IntegrationPoint.objects.create(integration=integration, vault=integration.vault, **(values | fields))


def make_lookup(connection: Connection, **fields) -> ReferenceLookup:
    now = clock.now()
    values = {
        "type": LookupType.PICKLIST,
        "name": "country__v",
        "source_key": "U.S.",
        "target_key": "United States",
        "created_at": now,
        "modified_at": now,
    }
    return ReferenceLookup.objects.create(connection=connection, vault=connection.vault, **(values | fields))


def make_token(by: Membership, **fields) -> VaultToken:
    values = {
        "name": "region",
        "label": "Region",
        "type": TokenType.STRING,
        "value": "eu",
        "clone_behavior": CloneBehavior.CLEAR,
    }
    return tokens.create(by=by, now=clock.now(), **(values | fields))
