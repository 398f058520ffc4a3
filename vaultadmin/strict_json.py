"""JSON for data that trust rests on: connection files, signed messages, answers from outside.

`json.loads` lets the last of two equal keys win, accepts NaN and lone surrogates, and answers deep nesting with an
uncaught RecursionError. Here every one of those is a `StrictJsonError` with one sentence, found before any object of
the attacker's choosing is built.
"""

import json
import math
import re
from collections.abc import Iterator
from typing import Any, Final, NoReturn

MAX_BYTES: Final = 262_144
MAX_DEPTH: Final = 20
MAX_DIGITS: Final = 40
MAX_STRING: Final = 65_536

# Possessive quantifiers keep the scan linear on any input: an unterminated string runs to the end once and for all.
_TOKEN: Final = re.compile(r'"(?P<string>[^"\\]*+(?:\\.?[^"\\]*+)*+)(?:"|\Z)|[\[{]|[\]}]|-?\d[\d.eE+-]*+', re.DOTALL)


_LONG_NUMBER: Final = re.compile(rf"\d[\d.eE+-]{{{MAX_DIGITS - 1}}}")

_PLAIN_KEYS: Final = frozenset((str,))
_CANONICAL: Final = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


class StrictJsonError(ValueError):
    """The text is not JSON we accept, or the value cannot be written as such; the message is one sentence."""


def loads(
    raw: bytes,
    *,
    max_bytes: int = MAX_BYTES,
    max_depth: int = MAX_DEPTH,
    max_digits: int = MAX_DIGITS,
    max_string: int = MAX_STRING,
    allow_nul: bool = False,
) -> Any:
    """Parse one JSON text or raise StrictJsonError, never anything else.

    Sizes are judged as written: `max_string` counts the characters between the quotes, escapes unfolded.
    `allow_nul` is for readers that ignore fields they do not know and judge the characters of those they do.
    """
    text = _decode(raw, max_bytes)
    _check_sizes(text, max_depth=max_depth, max_digits=max_digits, max_string=max_string)
    try:
        value = _STRICT.decode(text)
    except StrictJsonError:
        raise
    except json.JSONDecodeError as error:
        raise StrictJsonError(f"The JSON text is broken at line {error.lineno}, column {error.colno}.") from error
    # Raw NULs and surrogates cannot get this far; only an escape can still bring one in.
    if "\\u" in text:
        _check_characters(value, allow_nul=allow_nul)
    return value


def canonical(value: Any) -> bytes:
    """The one spelling of a value: keys sorted by code point, no spaces, UTF-8 without escapes where possible.

    Only what `loads` can give back is accepted: text keys, finite numbers, encodable text.
    """
    _check_keys(value)
    try:
        text = _CANONICAL.encode(value)
        raw = text.encode()
    except UnicodeEncodeError as error:
        raise StrictJsonError("The JSON text holds half of a surrogate pair.") from error
    except (TypeError, ValueError, RecursionError) as error:
        raise StrictJsonError("The value cannot be written as JSON.") from error
    # A NUL is always written this way; so is, more rarely, a backslash somebody meant.
    if "\\u0000" in text:
        _check_characters(value)
    return raw


def _decode(raw: bytes, max_bytes: int) -> str:
    if len(raw) > max_bytes:
        raise StrictJsonError(f"The JSON text is larger than {max_bytes} bytes.")
    if raw.startswith((b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff")):
        raise StrictJsonError("The JSON text starts with a byte order mark.")
    try:
        return raw.decode()
    except UnicodeDecodeError as error:
        raise StrictJsonError("The JSON text is not UTF-8.") from error


def _check_sizes(text: str, *, max_depth: int, max_digits: int, max_string: int) -> None:
    """Refuse nesting, numbers and strings beyond the limits before a parser sees them."""
    if _is_modest(text, max_depth=max_depth, max_digits=max_digits, max_string=max_string):
        return
    depth = 0
    for token in _TOKEN.finditer(text):
        first = text[token.start()]
        if first == '"':
            if len(token["string"]) > max_string:
                raise StrictJsonError(f"A string in the JSON text is longer than {max_string} characters.")
        elif first in "[{":
            depth += 1
            if depth > max_depth:
                raise StrictJsonError(f"The JSON text is nested deeper than {max_depth} levels.")
        elif first in "]}":
            depth -= 1
        elif token.end() - token.start() > max_digits:
            raise StrictJsonError(f"A number in the JSON text has more than {max_digits} characters.")


def _is_modest(text: str, *, max_depth: int, max_digits: int, max_string: int) -> bool:
    """Whether no limit can be passed, whatever the text says: true of nearly all we read, and told without a scan."""
    if len(text) > max_string or text.count("[") + text.count("{") > max_depth:
        return False
    return max_digits == MAX_DIGITS and _LONG_NUMBER.search(text) is None


def _unique_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise StrictJsonError("An object in the JSON text has the same key twice.")
    return members


def _finite_float(digits: str) -> float:
    number = float(digits)
    if math.isinf(number):
        raise StrictJsonError("A number in the JSON text is too large.")
    return number


def _refuse_constant(name: str) -> NoReturn:
    raise StrictJsonError(f"{name} is not a JSON number.")


def _check_characters(value: Any, *, allow_nul: bool = False) -> None:
    for text in _texts(value):
        if "\0" in text and not allow_nul:
            raise StrictJsonError("The JSON text holds a NUL character.")
        try:
            text.encode()
        except UnicodeEncodeError as error:
            raise StrictJsonError("The JSON text holds half of a surrogate pair.") from error


def _texts(value: Any) -> Iterator[str]:
    """Every string inside, keys included, without recursion. A container met again inside itself ends the walk."""
    waiting: list[Any] = [value]
    seen: set[int] = set()
    while waiting:
        item = waiting.pop()
        if isinstance(item, str):
            yield item
        elif isinstance(item, dict | list | tuple) and id(item) not in seen:
            seen.add(id(item))
            waiting.extend(_members(item) if isinstance(item, dict) else item)


def _check_keys(value: Any) -> None:
    """Every key is text, however deep; a container met again inside itself ends the walk."""
    waiting: list[Any] = [value]
    seen: set[int] = set()
    while waiting:
        item = waiting.pop()
        if isinstance(item, dict):
            inner: Any = item.values()
            if not (_PLAIN_KEYS.issuperset(map(type, item)) or all(isinstance(key, str) for key in item)):
                raise StrictJsonError("Every key of a JSON object must be text.")
        elif isinstance(item, list | tuple):
            inner = item
        else:
            continue
        if id(item) not in seen:
            seen.add(id(item))
            waiting.extend([each for each in inner if isinstance(each, dict | list | tuple)])


def _members(item: dict[Any, Any]) -> Iterator[Any]:
    for key, inner in item.items():
        if not isinstance(key, str):
            raise StrictJsonError("Every key of a JSON object must be text.")
        yield key
        yield inner


_STRICT: Final = json.JSONDecoder(
    object_pairs_hook=_unique_keys, parse_float=_finite_float, parse_constant=_refuse_constant
)
