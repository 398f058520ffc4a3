"""What the apps tell the platform about themselves, in AppConfig.ready: home cards, palette entries, REST resources.

The platform imports no other app; composition reads these lists instead.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from django.db.models import Model, QuerySet

from vaultadmin.audit import Actor
from vaultadmin.models import Membership, Vault
from vaultadmin.query import as_key
from vaultadmin.together import Asking, together


@dataclass(frozen=True)
class Card:
    """One tile on a vault's home: a title, one figure or word, one sentence, where it leads, and how bad it is."""

    title: str
    figure: str
    sentence: str
    url: str
    tone: str = "neutral"  # neutral, success, warning, danger, info
    icon: str = "circle"


@dataclass(frozen=True)
class Hit:
    """One row of the command palette."""

    label: str
    kind: str
    url: str
    icon: str = "arrow-right"
    hint: str = ""


@dataclass(frozen=True)
class Notice:
    """Something that will happen by itself, told ahead on a vault's home: the words, and where to read more."""

    text: str
    url: str
    label: str


@dataclass(frozen=True)
class Expiring:
    """A credential to renew: what it is, when it ends (or, where no end is known, since when it has been in use), what
    to do about it, and where."""

    kind: str
    label: str
    at: datetime
    is_end: bool
    advice: str
    url: str


@dataclass(frozen=True)
class Trouble:
    """Something that fails now, one line on a vault's home: what, why, since when, how much of it, and where to go.

    What does not fail any more but waits for a person's decision says so with `is_waiting`.
    """

    title: str
    text: str
    since: datetime
    count: str
    url: str
    is_waiting: bool = False


# What a home shows is asked together, so these say what they ask instead of asking it.
CardSource = Callable[[Membership], Asking[list[Card]]]
HitSource = Callable[[Membership, str], list[Hit]]

NoticeSource = Callable[[Membership], Asking[list[Notice]]]
TroubleSource = Callable[[Membership], Asking[list[Trouble]]]

ExpiringSource = Callable[[Membership, datetime], Asking[list[Expiring]]]

HomeSource = Callable[[Membership], Asking[list[Any]]]


def of_all(sources: Sequence[HomeSource], member: Membership) -> Asking[list[Any]]:
    """What all sources of one kind say, in their order."""
    found = yield from together([source(member) for source in sources])
    return [one for each in found for one in each]


home_cards: list[CardSource] = []
notices: list[NoticeSource] = []
troubles: list[TroubleSource] = []
palette: list[HitSource] = []
# What of an app's credentials ends soon, as far as the member sees it; connections shows all of them together.
expiring: list[ExpiringSource] = []


@dataclass(frozen=True)
class Mail:
    """The words of one mail. No address of a participant, no ID of one, nothing secret: mail travels in the open."""

    subject: str
    paragraphs: tuple[str, ...]


# By topic of a notice: its words for one member as things are now, None when there is nothing to tell any more. The
# member is checked before; `subject` and `data` are what the app wrote into the notice.
MailWriter = Callable[[Membership, str, dict[str, Any]], Mail | None]
mail_writers: dict[str, MailWriter] = {}


@dataclass(frozen=True)
class Lane:
    """A kind of machine work on the status page: how many rows are due and since when the oldest waits."""

    name: str
    due: int
    oldest: datetime | None
    parked: int = 0


lanes: list[Callable[[datetime], Lane]] = []


@dataclass(frozen=True)
class Gauge:
    """A number for monitoring: its name below the product's, what it says, its value, and what tells it apart."""

    name: str
    text: str
    value: float
    labels: Mapping[str, str] = field(default_factory=dict)


gauges: list[Callable[[datetime], list[Gauge]]] = []


def _no_parts(_record: Any) -> Sequence[Model | QuerySet[Any]]:
    return []


@dataclass(frozen=True)
class Recorded:
    """A kind of record whose history people may read and take away.

    `find` gives the record of a key if the member may see it, `url` is its page in the member's vault, `fields` name
    what a copy of it shows, `parts` are records that belong to it and whose rows its history includes. What belongs to
    no vault is `installation_wide`: its rows stand in the installation's chain, and every vault shows the same history.
    """

    kind: str
    model: type[Model]
    find: Callable[[Membership, str], Model | None]
    url: Callable[[Membership, Any], str]
    fields: tuple[str, ...]
    parts: Callable[[Any], Sequence[Model | QuerySet[Any]]] = _no_parts
    installation_wide: bool = False


recorded: dict[str, Recorded] = {}


def record_kind(kind: Recorded) -> None:
    """Offer the history of one kind of record. Apps call it in AppConfig.ready."""
    recorded[kind.kind] = kind


def by_number(rows: QuerySet[Any], key: str) -> Model | None:
    """The row with this primary key among `rows`; None for anything that is no number of ours."""
    number = as_key(key)
    found: Model | None = rows.filter(pk=number).first() if number is not None else None
    return found


def kind_of(record: Model) -> Recorded | None:
    """The kind a record belongs to; None for records without a history page."""
    return next((kind for kind in recorded.values() if type(record) is kind.model), None)


@dataclass(frozen=True)
class ClientConnection:
    """The connection a Client ID speaks for, as far as the Vault REST API must know it (veeva-core 10.1)."""

    id: int
    api_name: str
    external: bool
    active: bool
    authorized_member_id: int | None


class ClientResolver(Protocol):
    """Who knows connections and their Client IDs."""

    def by_client_id(self, *, vault_id: int, client_id: str) -> ClientConnection | None:
        """The Active connection of which this is an active Client ID."""

    def by_id(self, *, vault_id: int, connection_id: int) -> ClientConnection | None:
        """A connection of the vault, whatever its state."""

    def approved(self, *, vault_id: int) -> list[tuple[str, str]]:
        """Every Client ID that is let in while filtering is on, with the name of its connection."""


class _Nobody:
    """As long as no app has filled the place: no Client ID belongs to anything."""

    def by_client_id(self, *, vault_id: int, client_id: str) -> ClientConnection | None:
        return None

    def by_id(self, *, vault_id: int, connection_id: int) -> ClientConnection | None:
        return None

    def approved(self, *, vault_id: int) -> list[tuple[str, str]]:
        return []


clients: ClientResolver = _Nobody()


@dataclass(frozen=True)
class RestResource:
    """An address of the Vault REST API below `/api/{version}/`; the view is made with `vaultadmin.rest.endpoint`."""

    route: str
    view: Callable[..., Any]


rest_resources: list[RestResource] = []


# How each app lets go of what belongs to the original, inside the transaction that makes a copied installation one of
# its own; each says how many of what it let go.
separations: list[Callable[[Membership, datetime], dict[str, int]]] = []

# What a new vault is fitted out with, called inside the transaction that makes it.
vault_parts: list[Callable[[Vault, Actor, datetime], None]] = []
