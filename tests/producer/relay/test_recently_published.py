from wiki_producer.relay.recently_published import RecentlyPublished


def test_it_remembers_as_many_ids_as_it_may_and_forgets_the_oldest() -> None:
    recent = RecentlyPublished(2)
    for event_id in ("a", "b", "c"):
        assert event_id not in recent
        recent.add(event_id)
    assert "a" not in recent
    assert "b" in recent
    assert "c" in recent
