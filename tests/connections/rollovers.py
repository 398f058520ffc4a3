from contextlib import contextmanager
from datetime import datetime, timedelta

import time_machine

from connections.models import Connection, SigningCertificate
from connections.services.handshake import delivering
from connections.services.signing import certificates, renewing
from tests.connections.handshake import upload
from tests.factories.connections import shared_key


def use_shared_keys(monkeypatch):
    """Certificates made by the product get ready-made keys, never the previous one's: making one takes too long."""
    monkeypatch.setattr(
        certificates, "new_key", lambda: shared_key(2) if SigningCertificate.objects.count() % 2 else shared_key()
    )


@contextmanager
def at(moment: datetime):
    with time_machine.travel(moment, tick=False):
        yield moment


def tick(moment: datetime) -> int:
    """One run of the scheduled task, and of the messages it made due."""
    with at(moment):
        steps = renewing.advance(now=moment)
        delivering.deliver_due(now=moment)
        return steps


def stages() -> dict[str, str]:
    return dict(SigningCertificate.objects.values_list("certificate_id", "stage"))


def signs_with(connection: Connection) -> str:
    return (
        Connection.objects.select_related("signing_certificate")
        .get(pk=connection.pk)
        .signing_certificate.certificate_id
    )


def established(pair):
    """Two records, Active with each other: the source's and the target's."""
    source = pair.source_record(remote_vault_id=pair.target.pk)
    binding = upload(pair.file(connection=source), pair.target_admin)
    return source, binding.connection


def certificate(certificate_id: str) -> SigningCertificate:
    return SigningCertificate.objects.get(certificate_id=certificate_id)


def days(count: float) -> timedelta:
    return timedelta(days=count)
