"""What isn't known is no line and no zero: the chart has an empty place there, and says so."""

from datetime import timedelta

from web.committed import NOON
from wiki_web.data.documents import Bucket, Filters, Gap, TimelineDocument, Totals, Window
from wiki_web.page.charts import AreaChart, Unknown, area_chart, columns, sparkline_words, unknown_columns

MINUTE = timedelta(minutes=1)


def chart_of(*values: int | None, gaps: tuple[Gap, ...] = ()) -> AreaChart:
    """Of as many minutes, the last one ending at noon."""
    begin = NOON - len(values) * MINUTE
    buckets = [
        Bucket(
            start=begin + place * MINUTE,
            end=begin + (place + 1) * MINUTE,
            changes=value,
            editors=value,
            bytes=value,
        )
        for place, value in enumerate(values)
    ]
    timeline = TimelineDocument(
        as_of=NOON,
        state="live",
        loading=None,
        window=Window(start=begin, end=NOON),
        gaps=list(gaps),
        counting_since=None,
        filters=Filters(
            types=None, bots="include", namespace=None, wiki=None, title=None, editors="all", user=None
        ),
        totals=Totals(changes=0, titles=0, editors=0),
        wikis=(),
        bucket_seconds=60,
        minutes=buckets,
    )
    chart = area_chart(timeline, "minute")
    assert chart is not None
    return chart


def test_known_values_are_one_line_from_edge_to_edge() -> None:
    chart = chart_of(0, 2, 1)
    assert chart.line == "M0 100L300 0L600 50"
    assert chart.area == "M0 100L0 100L300 0L600 50L600 100z"
    assert chart.unknown == ()
    assert chart.summary.endswith("between 0 and 2, 1 in the last minute.")


def test_the_line_is_broken_where_a_value_is_not_known() -> None:
    gap = Gap(start=NOON - 4 * MINUTE, end=NOON - 2 * MINUTE)
    chart = chart_of(2, None, None, 1, 2, gaps=(gap,))
    assert chart.line == "M0 0M300 50L450 50L600 0"
    assert chart.unknown == (Unknown(0, 50),)
    assert chart.summary == (
        "Changes per minute from 11:55 to 12:00 UTC: between 1 and 2, 2 in the last minute. "
        "Not known from 11:56 to 11:58."
    )


def test_a_single_known_value_is_as_wide_as_its_bucket() -> None:
    assert chart_of(None, None, 4).line == "M300 0L600 0"


def test_a_gap_reaches_as_far_as_its_time() -> None:
    gap = Gap(start=NOON - 4 * MINUTE, end=NOON - 30 * MINUTE / 60)
    assert chart_of(0, 0, 0, 0, 0, gaps=(gap,)).unknown == (Unknown(0, 87.5),)


def test_nothing_known_at_all_is_a_chart_without_a_line() -> None:
    chart = chart_of(None, None, gaps=(Gap(start=NOON - 2 * MINUTE, end=NOON),))
    assert (chart.line, chart.area) == ("", "")
    assert chart.unknown == (Unknown(0, 100),)
    assert chart.summary.endswith("UTC: not known.")


def test_a_sparkline_has_columns_where_something_is_known_and_a_ground_elsewhere() -> None:
    values = [None, 0, 2, None]
    assert columns(values, 2) == "M6 20v-20h2V20z"
    assert unknown_columns(values) == "M0 20V0h2V20zM9 20V0h2V20z"
    assert sparkline_words(values, "minute") == "at most 2 per minute, not known in the last"
    assert sparkline_words([1, 0], "hour") == "at most 1 per hour, 0 in the last"
