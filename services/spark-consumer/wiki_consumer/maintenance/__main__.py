"""Run the maintenance by hand, while no consumer runs: python -m wiki_consumer.maintenance --once"""

import argparse
import sys

from wiki_common.settings import read_settings_or_exit
from wiki_consumer import logs
from wiki_consumer.checkpoint.lock import NotWritable, exclusive
from wiki_consumer.maintenance.maintenance import Maintenance
from wiki_consumer.maintenance.report import Report
from wiki_consumer.settings import Settings
from wiki_consumer.volume.folders import ConsumerVolume


def summary(report: Report) -> str:
    """What was done, one fact a line."""
    end = "nothing" if report.history_end is None else f"all before {report.history_end:%Y-%m-%d %H:%M} UTC"
    deleted = report.raw_files_deleted
    left = "unknown" if report.raw_files is None else report.raw_files
    return "\n".join(
        (
            f"hours closed: {report.hours_closed} ({report.rows_written} rows, {report.bytes_written} bytes)",
            f"rows recovered that came after their hour was closed: {report.rows_recovered}",
            f"raw files deleted: {deleted} ({report.raw_bytes_deleted} bytes), left: {left}",
            *([f"raw files lost: {report.raw_files_lost}, see above"] if report.raw_files_lost else ()),
            f"old hours deleted: {report.hours_expired}",
            f"history covers: {end}",
            *(f"failed: {failure}" for failure in report.failures),
        )
    )


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m wiki_consumer.maintenance", description=__doc__)
    parser.add_argument(
        "--once", action="store_true", required=True, help="do what is due now, say what was done"
    )
    parser.parse_args()
    settings = read_settings_or_exit(Settings)
    logs.configure(settings)
    volume = ConsumerVolume(settings.data_dir)
    if not volume.changes.is_dir():
        sys.stderr.write(f"wiki-consumer maintenance: {volume.changes} doesn't exist: nothing to do\n")
        return 1
    maintenance = Maintenance(
        settings.data_dir, max_event_age=settings.max_event_age, history_retention=settings.history_retention
    )
    try:
        with exclusive(volume.lock) as alone:
            if not alone:
                sys.stderr.write(
                    f"wiki-consumer maintenance: {volume.lock} is locked: a consumer runs, and does this"
                    " itself\n"
                )
                return 1
            report = maintenance.run()
    except NotWritable as error:
        sys.stderr.write(f"wiki-consumer maintenance: {error}\n")
        return 1
    sys.stdout.write(summary(report) + "\n")
    return 1 if report.failures else 0


if __name__ == "__main__":
    sys.exit(main())
