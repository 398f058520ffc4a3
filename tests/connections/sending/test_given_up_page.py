from datetime import timedelta

from django.urls import reverse

from connections.delivery import claiming, giving_up
from connections.delivery.policy import POLICY
from tests.connections.pages import sign_in
from tests.factories.people import make_member
from tests.factories.spark import put
from vaultadmin import clock
from vaultadmin.permissions import Permission


def test_a_message_that_was_set_aside_says_why(admin, queue):
    message_id = put(queue, admin).copies[0].message_id
    now = clock.now()
    for death in range(4):
        claiming.take(now=now + death * timedelta(seconds=61), policy=POLICY, lanes=64)

    browser = sign_in(make_member(admin.vault, Permission.MESSAGES_OPERATE))
    html = browser.get(reverse("connections:message", args=[admin.vault_id, message_id])).content.decode()

    assert "Set aside" in html
    assert giving_up.SENDERS_DIED in html
