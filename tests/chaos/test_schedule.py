import pytest

from chaos_run.schedule import OF_PROCESSES, OF_VOLUMES, SERVICES, Kind, processes, schedule

ENGINES = ("duckdb", "spark")


@pytest.mark.parametrize("engine", ENGINES)
def test_a_schedule_is_the_same_each_time_and_another_one_for_another_seed(engine: str, seed: int) -> None:
    targets = processes(engine)
    assert schedule(seed, 1200, targets) == schedule(seed, 1200, targets)
    assert schedule(seed, 1200, targets) != schedule(seed + 1, 1200, targets)


def test_a_known_seed_still_means_what_it_meant() -> None:
    """A seed of a report would be of no use otherwise."""
    first = schedule(1, 180, processes("duckdb"))[0]
    assert (first.at, first.kind, first.target) == KNOWN


KNOWN = (9.0, Kind.TERMINATE, "consumer-jvm")


@pytest.mark.parametrize("engine", ENGINES)
def test_twenty_minutes_have_a_hundred_faults_where_neither_clock_nor_disk_can_be_changed(
    engine: str, seed: int
) -> None:
    faults = schedule(seed, 1200, processes(engine))
    assert sum(fault.kind in OF_PROCESSES for fault in faults) >= 100


@pytest.mark.parametrize("engine", ENGINES)
def test_twenty_minutes_have_every_fault_at_every_process_clock_and_disk(engine: str, seed: int) -> None:
    faults = schedule(seed, 1200, processes(engine))
    made = {(fault.kind, fault.target) for fault in faults}
    assert made >= {(kind, target) for kind in OF_PROCESSES for target in processes(engine)}
    assert made >= {(Kind.CLOCK, service) for service in SERVICES}
    assert {kind for kind, _ in made} == {*OF_PROCESSES, *OF_VOLUMES, Kind.CLOCK}


def test_faults_are_in_order_and_within_the_run(seed: int) -> None:
    moments = [fault.at for fault in schedule(seed, 180, processes("duckdb"))]
    assert moments == sorted(moments)
    assert moments[0] >= 0
    assert moments[-1] <= 180


def test_what_lasts_is_taken_back_within_a_minute_and_clocks_are_set_by_minutes(seed: int) -> None:
    for fault in schedule(seed, 1200, processes("duckdb")):
        ends = fault.kind in (Kind.KILL, Kind.KILL_TWICE, Kind.TERMINATE)
        assert fault.lasts == 0 if ends else 10 <= fault.lasts <= 60
        assert (60 <= abs(fault.clock) <= 600) == (fault.kind is Kind.CLOCK)


def test_only_spark_has_a_jvm_beside_the_page() -> None:
    assert set(processes("spark")) - set(processes("duckdb")) == {"web-jvm"}
