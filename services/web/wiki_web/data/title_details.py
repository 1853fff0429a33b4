"""What is told of a title that is listed, in SQL."""

from typing import Final

DETAILS: Final = """
{table} AS (
  SELECT chosen.wiki, chosen.title, {numbers},
    MAX(namespace) AS namespace, MAX(page_url) AS page_url,
    CAST(SUM(CASE WHEN age_us < :window_us THEN bytes ELSE 0 END) AS BIGINT) AS bytes,
    MAX_BY(diff_url, CASE WHEN diff_url IS NOT NULL THEN revision_new END) AS diff_url,
    MAX(CASE WHEN age_us < :window_us AND type = 'new' THEN 1 ELSE 0 END) AS created,
    COLLECT_LIST(CASE WHEN age_us < :window_us
      THEN STRUCT(age_us, revision_new, length_old, length_new, editor) END) AS made
  FROM chosen JOIN selected
    ON selected.title = chosen.title AND selected.wiki IS NOT DISTINCT FROM chosen.wiki
  GROUP BY chosen.wiki, chosen.title, {numbers}
)"""
"""The table `table`, from `selected` and the table `chosen` of titles with their `numbers`."""
