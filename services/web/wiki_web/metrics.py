"""What Prometheus reads at /metrics."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from wiki_common.process_metrics import watch_process

_REQUEST_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10)
_REFRESH_BUCKETS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 60)


class Metrics:
    """A registry of its own, so that two apps in one process don't meet."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        watch_process(self.registry, "wiki_web_memory_bytes")
        self.request_seconds = Histogram(
            "wiki_web_request_seconds",
            "Time to answer a request",
            ["route", "status"],
            buckets=_REQUEST_BUCKETS,
            registry=self.registry,
        )
        self.refresh_seconds = Histogram(
            "wiki_web_refresh_seconds",
            "Time to take in new commits and compute the answers asked for",
            buckets=_REFRESH_BUCKETS,
            registry=self.registry,
        )
        self.refresh_failures = Counter(
            "wiki_web_refresh_failures", "Refreshes that failed and are tried again", registry=self.registry
        )
        self.answer_age = Gauge(
            "wiki_web_answer_age_seconds",
            "Age of the default query's answer, NaN without one",
            registry=self.registry,
        )
        self.as_of = Gauge(
            "wiki_web_as_of_timestamp_seconds",
            "Time up to which the default query's answer counts, NaN without one",
            registry=self.registry,
        )
        self.committed_to_answer = Histogram(
            "wiki_web_committed_to_answer_seconds",
            "From when a batch's file was written until the default query's answer for it was ready",
            buckets=_REFRESH_BUCKETS,
            registry=self.registry,
        )
        self.behind = Histogram(
            "wiki_web_behind_seconds",
            "From the time up to which an answer counts until the default query's was ready",
            buckets=_REFRESH_BUCKETS,
            registry=self.registry,
        )
        self.clock_skew = Gauge(
            "wiki_web_clock_skew_seconds",
            "How far the newest commit or its time was ahead of this machine's clock as it was taken in, "
            "below 0 if behind; NaN without one",
            registry=self.registry,
        )
        self.unreadable_footers = Gauge(
            "wiki_web_unreadable_footers",
            "Files since the start whose footer doesn't tell what is covered, although it should",
            registry=self.registry,
        )
        self.commits_behind = Gauge(
            "wiki_web_commits_behind",
            "Commits that the default query's answer doesn't show",
            registry=self.registry,
        )
        self.streams = Gauge(
            "wiki_web_streams", "Viewers who hold a stream open to be told of answers", registry=self.registry
        )
        self.rows_held = Gauge("wiki_web_rows_held", "Rows that the engine holds", registry=self.registry)
        self.impossible_sizes = Gauge(
            "wiki_web_impossible_sizes",
            "Changes in the default query's window whose sizes no page can have: left out of its sums",
            registry=self.registry,
        )
        self.engine = Gauge(
            "wiki_web_engine_info", "1 for the engine in use", ["engine"], registry=self.registry
        )
