"""What web has done, for the line of the log that sums it up once a minute."""

import time
from collections.abc import Mapping

import structlog
from prometheus_client import Histogram

from wiki_common.summary import Summary
from wiki_web.data.answer_cache import AnswerCache
from wiki_web.data.store import Store
from wiki_web.metrics import Metrics

_log = structlog.get_logger(__name__)


def activity_summary(store: Store, answers: AnswerCache, metrics: Metrics) -> Summary:
    """To be looked at every few seconds, by one thread."""

    def counts() -> Mapping[str, int]:
        return {
            "requests": _observed(metrics.request_seconds),
            "refreshes": _observed(metrics.refresh_seconds),
        }

    def state() -> Mapping[str, object]:
        position = store.position
        told: dict[str, object] = {"state": answers.state_of(position), "rows": store.rows_held}
        if position is not None and position.as_of_us is not None:
            told["behind_seconds"] = round(time.time() - position.as_of_us / 1_000_000, 1)
        if position is not None and position.batch is not None:
            told |= {"epoch": position.batch.epoch, "batch": position.batch.number}
        return told

    return Summary(_log, "page served", counts, state)


def _observed(histogram: Histogram) -> int:
    """Over all of its labels."""
    [family] = histogram.collect()
    return round(sum(sample.value for sample in family.samples if sample.name.endswith("_count")))
