"""`python -m wiki_producer.doctor`: a line for each thing that the producer needs.

Exit 1 if one of them fails, 2 for a wrong setting.
"""

import sys

from wiki_common.settings import WRONG_SETTINGS, InvalidSettings, read_settings
from wiki_producer.settings import Settings
from wiki_producer.status.checks import Finding, check_all


def main() -> int:
    try:
        settings = read_settings(Settings)
    except InvalidSettings as error:
        print(*(Finding("settings", False, line) for line in str(error).splitlines()), sep="\n")  # noqa: T201
        return WRONG_SETTINGS
    ok = True
    for finding in check_all(settings):
        print(finding, flush=True)  # noqa: T201
        ok = ok and finding.ok
    return 0 if ok else 1


if __name__ == "__main__":
    sys.exit(main())
