import re
from html import unescape

import pytest
from django.core.exceptions import ValidationError
from django.urls import reverse

from connections.forms.fields import ConnectionUrlField
from connections.models import Connection
from tests.connections.pages import create_url, hidden_fields, sign_in, walk
from tests.factories.connections import make_external
from tests.vaultadmin.outbound.corpus import BAD_ADDRESSES, GOOD_URLS, REFUSED_URLS
from vaultadmin.models import AuditEvent

pytestmark = pytest.mark.django_db

# A form takes blanks off both ends and allows no URL at all.
AT_THE_FORM = [url for url in REFUSED_URLS if url.strip() == url and url]
WITH_TOKENS = [
    "http://${Vault.dns}/",
    "${Custom.scheme}://example.com/",
    "https://${Vault.dns}:8443/",
    "https://example.com:${Custom.port}/",
    "https://${Custom.user}@example.com/",
    "https://${Vault.dns}@127.0.0.1/",
    "https://${Auth.Password}/",
    "https://example.com/?key=${auth.password}",
    "https://example.com/${Session.SessionId}",
    "https://example.com/${Vault}",
    "https://example.com/${Vault.id",
    "https://example.com/${${Vault.id}}",
    "https://example.com/#${Vault.id}",
    "https://${Custom.host}.local/",
    "https://example.com/${Vault." + "x" * 100 + "}",
    "https://example.com/" + "a" * 10_000,
    "https://example.com/" + "${Vault.id}" * 1_000,
]
EACH_KIND = [
    "http://example.com/",
    "https://veeva.com:8443",
    "https://user:pass@example.com/",
    "https://0x7f.1/",
    "https://[::ffff:127.0.0.1]/",
    "https://169.254.169.254/latest/meta-data/",
    "https://metadata.google.internal/",
    "https://ex\u00e4mple.com/",
    "https://127\u30020\u30020\u30021/",
    "https://example.com/\x00",
    *WITH_TOKENS[-2:],
]


def problems(page: str) -> list[str]:
    found = re.findall(r'<p class="field-error"[^>]*>.*?<span>(.*?)</span></p>', page, re.DOTALL)
    return [unescape(text).strip() for text in found]


def field_errors(url: str) -> list[str]:
    try:
        ConnectionUrlField().clean(url)
    except ValidationError as error:
        return list(error.messages)
    return []


@pytest.mark.parametrize("url", [*AT_THE_FORM, *WITH_TOKENS])
def test_odd_url_is_refused_at_the_form_in_one_sentence(url):
    (sentence,) = field_errors(url)

    assert re.fullmatch(r"[A-Z$\"“][^\n]*\.", sentence), sentence


@pytest.mark.parametrize("address", BAD_ADDRESSES)
def test_address_inside_is_refused_at_the_form(address):
    assert field_errors(f"https://[{address}]/" if ":" in address else f"https://{address}/")


@pytest.mark.parametrize("url", [url for url, _, _ in GOOD_URLS if url.startswith("https://")])
def test_plain_url_passes_the_form(url):
    assert field_errors(url) == []


@pytest.mark.parametrize("url", EACH_KIND)
def test_refused_url_changes_nothing(admin, url):
    browser, connection = sign_in(admin), make_external(admin)
    page = reverse("connections:edit-details", args=[admin.vault_id, connection.api_name])
    rows = AuditEvent.objects.count()
    form = hidden_fields(browser.get(page).content.decode())

    answer = browser.post(page, form | {"name": "Changed", "api_name": connection.api_name, "url": url})

    assert answer.status_code == 422
    assert len(problems(answer.content.decode())) == 1
    kept = Connection.objects.get(pk=connection.pk)
    assert (kept.name, kept.url) == (connection.name, connection.url)
    assert AuditEvent.objects.count() == rows


def test_refused_url_creates_nothing(admin):
    answer = walk(sign_in(admin), create_url(admin), "external__sys", url="https://[::1]/")

    assert answer.status_code == 422
    assert not Connection.objects.exists()
