import structlog

from wiki_producer.stream.outage import Disconnect, Outage


def test_a_loss_is_said_at_once_then_once_a_minute_and_its_end_too() -> None:
    now = [0.0]
    outage = Outage("http://stream", clock=lambda: now[0])
    with structlog.testing.capture_logs() as said:
        for second in range(0, 130, 10):
            now[0] = second
            outage.disconnected(Disconnect("unreachable", "no route"))
        assert outage.reason == "no route"
        outage.over()
    assert [each["event"] for each in said] == ["stream lost, trying again"] * 3 + ["stream back"]
    assert [each["seconds"] for each in said] == [0, 60, 120, 120]
    assert outage.reason is None


def test_a_stream_that_comes_and_goes_is_said_once_a_minute() -> None:
    now = [0.0]
    outage = Outage("http://stream", clock=lambda: now[0])
    with structlog.testing.capture_logs() as said:
        for second in range(100):
            now[0] = second
            outage.disconnected(Disconnect("ended", "end"))
            outage.over()
    assert [each["event"] for each in said] == ["stream lost, trying again", "stream back"] * 2
