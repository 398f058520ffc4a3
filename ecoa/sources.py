"""Where participants come from: the one seam for everything that brings them.

A source is a key stored on the participant, words for people, and a rank. Adding one takes two steps: describe it here
with `register`, and hand its rows to `ecoa.services.intake` under its key, which gives them the same checks, versions
and audit rows as all others. Nothing else in the product asks which source a participant has.

The rank says whose word counts when two sources differ about a participant ID: a source may change IDs that belong to
a source of its own rank or a lower one, and owns them from then on. So a file exported last week cannot undo what the
system itself pushed since.
"""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

Text = str | Promise

FILE = "file"
PUSH = "push"
MANUAL = "manual"


@dataclass(frozen=True, slots=True)
class ParticipantSource:
    """One way participants come in. `owner` is who owns their IDs, `change` how a newer ID gets here."""

    key: str
    label: Text
    owner: Text
    change: Text
    rank: int
    # Only IDs no machine owns are typed by people.
    edited_here: bool = False


_registered: dict[str, ParticipantSource] = {}


def register(source: ParticipantSource) -> None:
    """Make a source known; a key is given once."""
    if _registered.setdefault(source.key, source) is not source:
        raise ValueError(f"There is a source {source.key!r} already.")


def get(key: str) -> ParticipantSource:
    """The source with this key; KeyError for a key nobody registered."""
    return _registered[key]


def above(key: str) -> list[str]:
    """The keys of sources whose participant IDs this one may not change."""
    rank = get(key).rank
    return [source.key for source in _registered.values() if source.rank > rank]


def owner_words(key: str, name: str) -> str:
    """Who owns the IDs of a source, with the name of the file, machine or person where it is known."""
    owner = str(get(key).owner)
    return _("%(owner)s (%(name)s)") % {"owner": owner, "name": name} if name else owner


def lock_words(key: str, name: str) -> str:
    """Why people cannot change an ID here, and what they do instead; empty when they can."""
    source = get(key)
    if source.edited_here:
        return ""
    return _("%(owner)s owns this ID. %(change)s") % {"owner": owner_words(key, name), "change": source.change}


register(
    ParticipantSource(
        MANUAL,
        gettext_lazy("Manual entry"),
        gettext_lazy("The study team"),
        gettext_lazy("The study team changes it on the participant's page."),
        rank=1,
        edited_here=True,
    )
)
register(
    ParticipantSource(
        FILE,
        gettext_lazy("File import"),
        gettext_lazy("The system the file came from"),
        gettext_lazy("It is corrected there and comes with a newer file."),
        rank=2,
    )
)
register(
    ParticipantSource(
        PUSH,
        gettext_lazy("Pushed by another system"),
        gettext_lazy("The system that pushes participants"),
        gettext_lazy("It is corrected there and comes by itself."),
        rank=3,
    )
)
