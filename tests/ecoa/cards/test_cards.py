import ast
import re
from pathlib import Path

import pytest
from django.utils.functional import Promise

from ecoa import cards
from ecoa.cards import DOCUMENTED, OURS, SITUATIONS, TABLE, UNLISTED, Acts, Situation, card_for
from ecoa.client import errors
from ecoa.contract.codes import Code
from ecoa.models import Correction, CorrectionState, DiscrepancyKind, ParticipantStatus
from ecoa.selectors.corrections import card_of
from tests.ecoa.cards.reading import grade, syllables

OUR_CODES = {value for name, value in vars(errors).items() if name.isupper() and str(value).startswith("VA-")}
JARGON = re.compile(
    r"HTTP|JSON|HTML|API\b|\bURL|\b[45]\d\d\b|token|server|POST|\bjob\b|sync|timeout|null|endpoint|tenant|[A-Z]{2}-\d{4}|VA-",
    re.IGNORECASE,
)


def test_every_documented_code_has_a_card():
    assert {code.value for code in Code} == set(DOCUMENTED)


def test_every_code_of_ours_has_a_card():
    assert set(OURS) == OUR_CODES


def test_every_situation_has_a_card():
    assert set(SITUATIONS) == set(Situation)


def test_every_state_of_a_participant_but_trouble_has_a_card():
    names = {ParticipantStatus.SYNCED: Situation.IN_ECOA}
    troubled = {ParticipantStatus.REJECTED, ParticipantStatus.UNKNOWN}

    states = [state for state in ParticipantStatus if state not in troubled]

    assert [names.get(state, state.value) in SITUATIONS for state in states] == [True] * len(states)


def test_every_kind_of_difference_has_a_card():
    assert {kind.value for kind in DiscrepancyKind} <= set(SITUATIONS)


def test_every_state_of_a_correction_that_needs_words_has_a_card():
    quiet = {CorrectionState.CONFIRMED, CorrectionState.WITHDRAWN}

    cards = {state: card_of(Correction(state=state)) for state in CorrectionState}

    assert {state for state, card in cards.items() if card is None} == quiet


def test_code_nobody_documented_has_a_card_too():
    assert card_for("ZZ-9") is UNLISTED


@pytest.mark.parametrize("card", [*TABLE.values(), UNLISTED], ids=[*TABLE, "unlisted"])
def test_card_is_whole_plain_and_easy_to_read(card):
    spoken = [card.happened, card.visit_label, card.do, card.acting, card.by_label]

    assert all(isinstance(text, Promise) for text in [card.title, *spoken])
    assert all(str(text).endswith(".") for text in spoken)
    assert JARGON.findall(card.sentences()) == []
    assert grade(card.sentences()) <= 8, grade(card.sentences())


@pytest.mark.parametrize("card", [*TABLE.values(), UNLISTED], ids=[*TABLE, "unlisted"])
def test_who_acts_is_who_is_said_to_act(card):
    openings = {Acts.SITE: "You ", Acts.NOBODY: ("It goes", "No one")}

    assert str(card.acting).startswith(openings.get(card.acts, ("The study team", "It goes out with the next send")))


def test_every_sentence_of_a_card_is_marked_for_translation():
    unmarked = []
    for path in Path(cards.__file__).parent.glob("*.py"):
        tree = ast.parse(path.read_text())
        marked = {id(node.args[0]) for node in ast.walk(tree) if isinstance(node, ast.Call) and _is_mark(node)}
        calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call) and _name(node) == "Card"]
        unmarked += [
            node.value
            for call in calls
            for node in ast.walk(call)
            if isinstance(node, ast.Constant) and id(node) not in marked
        ]

    assert unmarked == []


@pytest.mark.parametrize(
    ("word", "number"), [("eCOA", 2), ("ID", 2), ("take", 1), ("called", 1), ("added", 2), ("people", 2), ("the", 1)]
)
def test_syllables_are_counted(word, number):
    assert syllables(word) == number


def test_hard_prose_has_a_high_grade():
    text = "Synchronisation of participant identifiers necessitates organisational authorisation procedures."

    assert grade(text) > 12
    assert grade("We sent it. It is there now.") < 2


def _is_mark(node):
    return _name(node) == "_"


def _name(node):
    return node.func.id if isinstance(node.func, ast.Name) else ""
