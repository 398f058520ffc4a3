import random
import time
import tracemalloc
from urllib.parse import quote

from tests.vaultadmin.outbound.bad_peers import BAD_PEERS, BIG_BODIES, DRIPS
from tests.vaultadmin.outbound.corpus import (
    BAD_ADDRESSES,
    BAD_REGIONS,
    GOOD,
    GOOD_URLS,
    OTHER_GOOD,
    REDIRECTS,
    REFUSED_URLS,
    REGION_SUFFIXES,
    STORIES,
    teller,
)
from tests.vaultadmin.outbound.peers import HOST, answer
from vaultadmin.outbound import Policy, UrlRefused, check_url, region_allowed

POLICY = Policy()
URL = f"https://{HOST}/"


def is_refused(url):
    try:
        check_url(url, policy=POLICY)
    except UrlRefused:
        return True
    return False


def test_url_forms(goal):
    let_in = [url for url in REFUSED_URLS if not is_refused(url)]
    kept_out = [url for url, _, _ in GOOD_URLS if is_refused(url)]

    figure = {"refused": len(REFUSED_URLS) - len(let_in), "accepted": len(GOOD_URLS) - len(kept_out)}
    target = {"refused": len(REFUSED_URLS), "accepted": len(GOOD_URLS)}
    goal("F1").reached(figure=figure, target=target, ok=not let_in and not kept_out)


def test_addresses_dialled(goal, open_door, dials):
    tales = [*STORIES.values(), *([[bad]] for bad in BAD_ADDRESSES)]
    for tale in tales:
        door = open_door(Policy(resolver=teller(tale)))
        for _ in range(2):
            door.send("POST", "https://story.example.com/", body=b"x", deadline=2)

    bad = [address for address, _ in dials if address not in (GOOD, OTHER_GOOD)]
    figure = {"tales": len(tales), "bad dialled": len(bad), "good dialled": len(dials) - len(bad)}
    goal("F2").reached(figure=figure, target={"bad dialled": 0}, ok=not bad and bool(dials))


def test_redirects(goal, open_door, serve, policy_for):
    trap = serve(answer())
    replies = iter([answer(b"", f"{status}", (f"Location: {to}",)) for status, to in REDIRECTS])
    peer = serve(lambda sock, peer: next(replies)(sock, peer))
    door = open_door(policy_for(peer, trap))

    answers = [door.send("GET", URL, deadline=5) for _ in REDIRECTS]

    followed = trap.connections + len(peer.requests) - len(REDIRECTS)
    shown = sum(1 for result in answers if result.kind == "redirect")
    figure = {"redirects": len(REDIRECTS), "followed": followed, "shown as failure": shown}
    goal("F3").reached(figure=figure, target={"followed": 0}, ok=followed == 0 and shown == len(REDIRECTS))


def test_environment(goal, open_door, serve, policy_for, tmp_path, monkeypatch):
    proxy = serve(answer(), None)
    (tmp_path / ".netrc").write_text("default login thief password hunter2\n")
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in ("HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{proxy.port}")
    peer = serve(answer())

    result = open_door(policy_for(peer)).send("GET", URL)

    obeyed = proxy.connections + sum(b"authorization" in request.lower() for request in peer.requests)
    goal("F4").reached(figure={"obeyed": obeyed}, target={"obeyed": 0}, ok=result.ok and obeyed == 0)


def test_regions(goal):
    allowed = [url for url in BAD_REGIONS if region_allowed(url, REGION_SUFFIXES)]

    figure = {"regions": len(BAD_REGIONS), "secrets sent": len(allowed)}
    goal("F5").reached(figure=figure, target={"secrets sent": 0}, ok=not allowed)


def test_token_values(goal):
    judge = goal("F6")
    dice = random.Random(6)
    parts = ["/", "@", ":", "#", "?", "%0d", "%2e", "..", "\\", "\r\n", "[", "]", "%", "a", "\u3002", "evil.test", "//"]
    cases = judge.count(small=500, full=10_000)
    moved = 0
    for _ in range(cases):
        value = quote("".join(dice.choices(parts, k=dice.randint(1, 8))), safe="")
        try:
            target = POLICY.target(f"https://vault.example.com/{value}/x?y={value}")
        except UrlRefused:
            continue
        moved += (target.host, target.port) != ("vault.example.com", 443)

    judge.reached(figure={"cases": cases, "moved": moved}, target={"moved": 0}, ok=moved == 0)


def test_certificates(goal, authority, open_door, serve, policy_for):
    peers = [serve(answer(), make(authority)) for make in BAD_PEERS.values()]
    for peer in peers:
        open_door(policy_for(peer)).send("POST", URL, body=b"secret", deadline=5)

    fooled = sum(bool(peer.requests) for peer in peers)
    figure = {"peers": len(peers), "spoken to": fooled}
    goal("F7").reached(figure=figure, target={"spoken to": 0}, ok=fooled == 0)


def test_greedy_peers(goal, open_door, serve, policy_for):
    judge = goal("B6")
    deadline = judge.count(small=1, full=30) * 0.2
    scripts = {"hang": DRIPS["nothing"], "drip": DRIPS["body"], "gigabyte": BIG_BODIES["announced"]}
    late = grown = 0.0
    for script in scripts.values():
        door = open_door(policy_for(serve(script)))
        tracemalloc.start()
        started = time.monotonic()
        door.send("POST", URL, body=b"x", deadline=deadline)
        late = max(late, time.monotonic() - started - deadline)
        grown = max(grown, tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()

    figure = {"late s": round(late, 2), "memory MB": round(grown / 1e6, 1)}
    judge.reached(figure=figure, target={"late s": 1, "memory MB": 20}, ok=late < 1 and grown < 20e6)
