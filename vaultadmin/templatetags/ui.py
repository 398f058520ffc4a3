"""Template tags every page uses: {% load ui %}. What they draw is described once, on each of them.

Tags: icon, state_badge, when, countdown, copyable, field, beads, crumb, sort_header. Blocks: empty_state, card, table,
detail.
Filters: initials, event_words, label_words, change_value, browser, actor_name. Tags: actor, history_of, history_url.
"""

from __future__ import annotations

from datetime import datetime
from functools import cache
from typing import Any

from django import template
from django.forms.boundfield import BoundField
from django.template.context import RequestContext
from django.templatetags.static import static
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from vaultadmin import clock
from vaultadmin.models import AuditEvent
from vaultadmin.templatetags import _fields, _history, _states, _times, _words

register = template.Library()

SPRITE = "vendor/tabler-icons-3.51.0/sprite.svg"
STAGES = ("found site", "signed in", "sent", "confirmed")
_HALTED = {"rejected": "stopped", "unknown": "not sure"}


@cache
def _sprite() -> str:
    """The address of the icons: a page asks two hundred times, and it stays the same while a process lives."""
    return static(SPRITE)


@register.simple_tag
def icon(name: str, label: str = "", css: str = "") -> SafeString:
    """One icon of the sprite. Without a label it is decoration and hidden from assistive technology."""
    classes = f"icon {css}".strip()
    target = f"{_sprite()}#{name}"
    if label:
        return format_html(
            '<svg class="{}" role="img" aria-label="{}"><use href="{}"></use></svg>', classes, label, target
        )
    return format_html('<svg class="{}" aria-hidden="true"><use href="{}"></use></svg>', classes, target)


@register.simple_tag
def state_badge(state: str, label: str = "") -> SafeString:
    """Word, shape and colour of a state. The word defaults to the state's own name."""
    look = _states.look_of(str(state))
    word = label or _states.key_of(str(state)).replace("_", " ").capitalize()
    return format_html('<span class="state state-{}">{}{}</span>', look.tone, icon(look.icon), word)


@register.simple_tag
def when(moment: datetime | None, copy: bool = False, empty: str = "Never", lasting: bool = False) -> SafeString:
    """Relative time; exact UTC on hover. With `copy` the exact time is written out and can be copied.

    `lasting` is for what began then and still is so: "for 3 minutes", where a time of the day reads "since 09:12".
    """
    if moment is None:
        return format_html('<span class="text-secondary">{}</span>', empty)
    shown = format_html(
        '<time class="when" data-when{} datetime="{}" title="{}">{}</time>',
        "=lasting" if lasting else "",
        _times.iso(moment),
        _times.exact(moment),
        (_times.lasting if lasting else _times.relative)(moment, clock.now()),
    )
    if not copy:
        return shown
    exact = format_html('<span class="when-exact">{}</span>', _times.exact(moment))
    return format_html('<span class="copyable">{} {}{}</span>', shown, exact, _copy_button(_times.iso(moment), "time"))


@register.simple_tag
def countdown(moment: datetime) -> SafeString:
    """How long until a moment: to the second where the page loads js/countdown.js, in words without it."""
    return format_html(
        '<time class="when countdown" data-countdown datetime="{}" title="{}">{}</time>',
        _times.iso(moment),
        _times.exact(moment),
        _times.relative(moment, clock.now()),
    )


@register.simple_tag
def copyable(value: object, label: str = "value") -> SafeString:
    """An id in monospace with a button that copies it."""
    if value in (None, ""):
        return format_html('<span class="text-secondary">{}</span>', "—")
    return format_html(
        '<span class="copyable"><code translate="no">{}</code>{}</span>', value, _copy_button(str(value), label)
    )


def _copy_button(value: str, label: str) -> SafeString:
    return format_html(
        '<button type="button" class="icon-button icon-button-sm" data-copy="{}" aria-label="Copy {}">{}</button>',
        value,
        label,
        icon("copy"),
    )


@register.inclusion_tag("components/field.html")
def field(
    bound: BoundField, label: str | None = None, help: str | None = None, choose: str = "Choose"
) -> dict[str, Any]:
    """Label, control, error, help. Radio groups become a fieldset; files get a *Choose* button as their label."""
    kind = _fields.kind_of(bound)
    help_text = str(bound.help_text if help is None else help)
    attrs = _fields.attributes(bound, kind, help_text=help_text)
    _fields.without_echo(bound, str(label or bound.label))
    if kind == "radios":
        bound.field.widget.attrs.update({"class": attrs["class"]})
    return {
        "bound": bound,
        "kind": kind,
        "label": label or bound.label,
        "help_text": help_text,
        "choose": choose,
        "described": attrs.get("aria-describedby", ""),
        "control": "" if kind == "radios" else bound.as_widget(attrs=attrs),
    }


@register.simple_tag
def beads(reached: int, outcome: str = "") -> SafeString:
    """The four stages of one participant: {% beads reached=2 outcome="rejected" %} marks the bead it stopped at."""
    done = max(0, min(int(reached), len(STAGES)))
    halted = _HALTED.get(_states.key_of(outcome), "")
    stopped = f"bead-{_states.key_of(outcome)}" if halted else ""
    looks = ["bead-done"] * done + [stopped, "", "", ""]
    dots = format_html_join("", '<i class="bead {}"></i>', ((look,) for look in looks[: len(STAGES)]))
    text = f"{done} of {len(STAGES)} steps done" + (f": {', '.join(STAGES[:done])}" if done else "")
    if halted and done < len(STAGES):
        text += f"; {halted} at {STAGES[done]}"
    return format_html('<span class="beads" role="img" aria-label="{}" title="{}">{}</span>', text, text, dots)


@register.simple_tag
def crumb(label: str, url: str = "") -> SafeString:
    """One step of the breadcrumb; the one without an address is the page itself."""
    if url:
        return format_html('<li class="breadcrumb-item"><a href="{}">{}</a></li>', url, label)
    return format_html('<li class="breadcrumb-item active" aria-current="page">{}</li>', label)


@register.inclusion_tag("components/sort_header.html", takes_context=True)
def sort_header(context: RequestContext, name: str, label: str, numeric: bool = False) -> dict[str, Any]:
    """A column head that sorts: ?sort=name, ?sort=-name, keeping filters and dropping the page key."""
    query = context["request"].GET.copy()
    current = query.get("sort", "") or str(context.get("default_sort", ""))
    query["sort"] = f"-{name}" if current == name else name
    for key in ("after", "before", "page"):
        query.pop(key, None)
    direction = {name: "ascending", f"-{name}": "descending"}.get(current, "")
    return {"label": label, "numeric": numeric, "direction": direction, "url": f"?{query.urlencode()}"}


@register.simple_block_tag
def empty_state(content: str, icon_name: str, title: str, text: str = "") -> SafeString:
    """Why a list is empty and what fills it; the block holds the button: {% empty_state icon title text %}<a…>."""
    return format_html(
        '<div class="empty"><div class="empty-icon">{}</div><p class="empty-title">{}</p>'
        '<p class="empty-subtitle text-secondary">{}</p><div class="empty-action">{}</div></div>',
        icon(icon_name),
        title,
        text,
        content if content.strip() else "",
    )


@register.simple_block_tag
def card(content: str, title: str, id: str = "", text: str = "", css: str = "") -> SafeString:
    """A card whose heading can be linked to: {% card "Details" id="details" %}…{% endcard %}."""
    subtitle = format_html('<p class="card-subtitle">{}</p>', text) if text else ""
    return format_html(
        '<section class="card {}" id="{}" aria-labelledby="{}-title"><div class="card-header"><div>'
        '<h2 class="card-title" id="{}-title">{}</h2>{}</div></div><div class="card-body">{}</div></section>',
        css,
        id or _slug(title),
        id or _slug(title),
        id or _slug(title),
        title,
        subtitle,
        content,
    )


@register.simple_block_tag
def table(content: str, label: str, *columns: str) -> SafeString:
    """A table whose rows become cards on a phone: {% table "Sites" "Site" "num:Participants" "hidden:Assign" %}<tr>….

    `num:` sets a column of numbers, `hidden:` a heading that is only spoken (that of the buttons). Each <td> repeats
    its heading as `data-label`; the cell with the buttons has the class `cell-actions`.
    """
    return format_html(
        '<div class="table-scroll" tabindex="0" role="group" aria-label="{}"><table class="table table-stack">'
        "<thead><tr>{}</tr></thead><tbody>{}</tbody></table></div>",
        label,
        format_html_join("", "{}", ((_heading(column),) for column in columns)),
        content,
    )


def _heading(column: str) -> SafeString:
    kind, _, text = column.rpartition(":")
    if kind == "hidden":
        return format_html('<th scope="col"><span class="visually-hidden">{}</span></th>', text)
    return format_html('<th scope="col" class="{}">{}</th>', kind, text)


def _slug(title: str) -> str:
    return "".join(letter if letter.isalnum() else "-" for letter in title.lower())


@register.simple_block_tag
def detail(content: str, label: str, edit_url: str = "", help: str = "") -> SafeString:
    """A name and value inside <dl class="details">; with `edit_url` a pencil that swaps the value for its form."""
    pencil: SafeString | str = ""
    if edit_url:
        pencil = format_html(
            '<a class="icon-button icon-button-sm" href="{}" hx-get="{}" hx-target="closest .detail"'
            ' hx-swap="outerHTML" aria-label="Edit {}">{}</a>',
            edit_url,
            edit_url,
            label,
            icon("pencil"),
        )
    value = content if content.strip() else format_html('<span class="text-secondary">{}</span>', "—")
    note = format_html('<small class="detail-help">{}</small>', help) if help else ""
    return format_html('<div class="detail"><dt>{}</dt><dd>{}{}{}</dd></div>', label, value, pencil, note)


@register.filter
def initials(name: object) -> str:
    """Up to two letters for the square in front of a vault or the circle of a person."""
    words = [word for word in str(name).replace("@", " ").replace(".", " ").split() if word[0].isalnum()]
    return "".join(word[0] for word in words[:2]).upper() or "?"


@register.filter
def event_words(event: str) -> str:
    """An audit event as words: "connection_file.used" reads "Connection file used"."""
    return event.replace(".", " ").replace("_", " ").capitalize().replace("Ecoa", "eCOA").replace("Api ", "API ")


@register.filter
def label_words(name: str) -> str:
    """The name of a value as a label: a capital first, except where a name begins small."""
    return name if name.startswith("eCOA") else name[:1].upper() + name[1:]


@register.filter
def change_value(value: Any) -> str:
    """One side of a change: lists with commas, yes and no, times in UTC."""
    return _words.value_of(value)


@register.filter
def browser(user_agent: str) -> str:
    """What a browser calls itself, shortened to "Firefox on Windows"."""
    return _words.browser_of(user_agent)


@register.filter
def actor_name(label: str) -> str:
    """Who did it, as the trail keeps it, without the e-mail address."""
    return label.partition(" <")[0]


@register.simple_tag
def actor(label: str) -> SafeString:
    """Who did it, as the trail keeps it: the name, and the e-mail address in small print below."""
    name, _, rest = label.partition(" <")
    address = format_html('<span class="row-sub">{}</span>', rest.removesuffix(">")) if rest else ""
    return format_html('<span class="text-nowrap">{}</span>{}', name, address)


@register.simple_tag
def history_of(row: AuditEvent) -> SafeString:
    """The record an audit row is about, leading to that record's history where it has a page for it."""
    label = row.subject_label or "—"
    url = _history.url_of_row(row)
    return format_html('<a href="{}">{}</a>', url, label) if url else format_html("{}", label)


@register.simple_tag(takes_context=True)
def history_url(context: RequestContext, record: Any) -> str:
    """The address of a record's history in the vault of this page; empty when there is none."""
    return _history.url_of(record, vault_id=context["vault"].pk) if record else ""
