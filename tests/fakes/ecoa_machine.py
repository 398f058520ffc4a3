"""Somebody else's eCOA on the loopback: TLS, three regions, its own store, and faults told by the internalId."""

from __future__ import annotations

import asyncio
import json
import ssl
import threading
from collections import Counter, defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from urllib.parse import parse_qs, unquote, urlsplit

HOST = "ecoa.example.test"
SYSTEM, SECRET, TENANT, STUDY = "mv-ext-test", "s3cret value", "test", "study-1"


def success(*data) -> bytes:
    return json.dumps(
        {"responseStatus": "SUCCESS", "responseMessage": "", "errorType": None, "errors": [], "data": list(data)}
    ).encode()


def failure(code: str, error_type: str = "INVALID_DATA") -> bytes:
    return json.dumps(
        {
            "responseStatus": "FAILURE",
            "responseMessage": f"{error_type}: no",
            "errorType": error_type,
            "errors": [{"code": code, "message": "No"}],
            "data": [],
        }
    ).encode()


HTML = b"<html><body>Bad gateway</body></html>"


@dataclass
class Held:
    participant_id: str
    remote_id: str
    site: str


@dataclass
class Machine:
    """`faults` maps an internalId to what happens to each of its POSTs in turn; "ok" or the end of the list is normal.

    refuse:CODE, 500, ue, html, hang, drop_request, drop_reply, cut, busy. `get_faults` does the same for reads.
    """

    context: ssl.SSLContext
    store: dict[str, Held] = field(default_factory=dict)
    history: list[tuple[str, str]] = field(default_factory=list)
    calls: Counter = field(default_factory=Counter)
    faults: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    get_faults: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    discover_answer: bytes | None = None
    authorize_status: int = 200
    bad_tokens: set[str] = field(default_factory=set)
    refuse_all_tokens: bool = False
    down: bool = False
    latency: float = 0.0
    regions: dict[str, str] = field(default_factory=dict)
    before_get: Callable[[], None] = lambda: None
    before_post: Callable[[], None] = lambda: None
    retry_after: str = ""
    under_way: int = 0
    most_at_once: int = 0

    def __post_init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()
        self._ready.wait(10)

    def close(self) -> None:
        asyncio.run_coroutine_threadsafe(self._stop(), self._loop).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._server = self._loop.run_until_complete(
            asyncio.start_server(self._serve, "127.0.0.1", 0, ssl=self.context)
        )
        self.port = self._server.sockets[0].getsockname()[1]
        self._ready.set()
        self._loop.run_forever()

    async def _stop(self) -> None:
        self._server.close()
        others = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while await self._one(reader, writer):
                pass
        except (ConnectionError, asyncio.IncompleteReadError, ssl.SSLError):
            pass
        finally:
            writer.close()

    async def _one(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        head = await reader.readuntil(b"\r\n\r\n")
        lines = head.decode("latin-1").split("\r\n")
        method, target, _version = lines[0].split(" ")
        headers = dict(line.split(": ", 1) for line in lines[1:] if ": " in line)
        headers = {name.lower(): value for name, value in headers.items()}
        body = await reader.readexactly(int(headers.get("content-length", 0)))
        self.under_way += 1
        self.most_at_once = max(self.most_at_once, self.under_way)
        try:
            if self.latency:
                await asyncio.sleep(self.latency)
            return await self._answered(method, target, headers, body, writer)
        finally:
            self.under_way -= 1

    async def _answered(self, method, target, headers, body, writer: asyncio.StreamWriter) -> bool:
        if self.down:
            self.calls["down"] += 1
            return False
        status, answer, fault = self._answer(method, target, headers, body)
        if fault == "hang":
            await asyncio.sleep(3600)
        if fault in ("drop_request", "drop_reply"):
            return False
        wait = f"Retry-After: {self.retry_after}\r\n" if self.retry_after and status in (429, 503) else ""
        head = f"HTTP/1.1 {status} X\r\nContent-Type: application/json\r\n{wait}Content-Length: {len(answer)}\r\n\r\n"
        raw = head.encode() + answer
        writer.write(raw[:-5] if fault == "cut" else raw)
        await writer.drain()
        return fault != "cut"

    def _answer(self, method, target, headers, body):
        parts = urlsplit(target)
        path = parts.path.strip("/").split("/")
        if path[-1] == "discover-study-site":
            self.calls["discover"] += 1
            asked = json.loads(body)
            region = self.regions.get(asked["externalStudySiteId"], f"https://us.{HOST}/")
            return 200, self.discover_answer or success({"region": region}), ""
        if path[-1] == "authorize":
            return self._authorize(json.loads(body))
        token = headers.get("authorization", "").removeprefix("Bearer ")
        if not token.startswith("token-") or token in self.bad_tokens or self.refuse_all_tokens:
            self.calls["unauthorized"] += 1
            return 401, b"", ""
        site = unquote(path[-2])
        if method == "GET":
            return self._get(site, parse_qs(parts.query)["internalId"][0])
        return self._post(site, json.loads(body))

    def _authorize(self, asked):
        self.calls["authorize"] += 1
        right = asked == {"externalSystemId": SYSTEM, "externalSystemSecret": SECRET, "tenantId": TENANT}
        if self.authorize_status != 200 or not right:
            return (self.authorize_status if right else 401), b"", ""
        return 200, json.dumps({"jwt": f"token-{self.calls['authorize']}"}).encode(), ""

    def _get(self, site, internal_id):
        self.calls["get"] += 1
        self.before_get()
        fault = self.get_faults[internal_id].pop(0) if self.get_faults[internal_id] else "ok"
        if fault != "ok":
            return self._faulty(fault)
        held = self.store.get(internal_id)
        if held is None or held.site != site:
            return 200, failure("NF-0004", "NOT_FOUND"), ""
        return 200, success({"myVeevaParticipantId": held.remote_id, "participantId": held.participant_id}), ""

    def _post(self, site, asked):
        self.calls["post"] += 1
        self.before_post()
        internal_id, value = asked["internalId"], asked["participantId"]
        fault = self.faults[internal_id].pop(0) if self.faults[internal_id] else "ok"
        if fault in ("ok", "drop_reply", "cut", "hang_after", "500_after"):
            held = self.store.get(internal_id)
            remote_id = held.remote_id if held else f"remote-{len(self.store) + 1}"
            self.store[internal_id] = Held(value, remote_id, site)
            self.history.append((internal_id, value))
            fault = {"hang_after": "hang", "500_after": "500"}.get(fault, fault)
            if fault != "500":
                return 200, success(remote_id), fault
        return self._faulty(fault)

    def _faulty(self, fault):
        if fault.startswith("refuse:"):
            return 200, failure(fault.removeprefix("refuse:")), ""
        answers = {
            "500": (500, b"oops"),
            "ue": (500, failure("UE-0001", "UNEXPECTED_ERROR")),
            "html": (200, HTML),
            "busy": (429, b""),
            "away": (503, b"away"),
            "400": (400, failure("ID-0001")),
        }
        status, answer = answers.get(fault, (200, b""))
        return status, answer, fault
