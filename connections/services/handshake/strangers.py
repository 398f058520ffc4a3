"""What whoever nobody knows is measured with."""

from __future__ import annotations

from functools import lru_cache

from cryptography.hazmat.primitives.asymmetric import rsa

from connections.services.signing import certificates


@lru_cache(maxsize=1)
def stand_in() -> rsa.RSAPublicKey:
    """A key to check the signature of a sender nobody knows with. What it says does not count, so it is nobody's.

    Ours would not do: an installation whose first certificate is not made yet has to refuse strangers all the same.
    """
    return certificates.new_key().public_key()
