from threading import Event, Thread

from vaultadmin.rest import pace


def test_only_few_calls_wait_at_a_time(monkeypatch):
    waiting, go_on, delays = [Event(), Event()], Event(), []
    free = iter(waiting)

    def wait(_seconds):
        next(free).set()
        go_on.wait(10)

    monkeypatch.setattr(pace.time, "sleep", wait)
    held = [Thread(target=lambda: delays.append(pace.hold(500))) for _ in waiting]
    for thread in held:
        thread.start()
    for event in waiting:
        assert event.wait(10)

    assert pace.hold(500) == 0
    go_on.set()
    for thread in held:
        thread.join(10)
    assert delays == [500, 500]
