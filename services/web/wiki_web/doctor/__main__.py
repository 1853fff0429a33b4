"""python -m wiki_web.doctor [--json] [--running]"""

import sys
from collections.abc import Iterator
from functools import partial

from wiki_common.doctor.command import examine
from wiki_common.doctor.finding import Check
from wiki_common.doctor.running import check_health
from wiki_web.doctor.page import check_page
from wiki_web.doctor.volume import check_volume
from wiki_web.settings import Settings


def checks(settings: Settings, running: bool) -> Iterator[Check]:
    yield Check("volume", partial(check_volume, settings.data_dir))
    if running:
        address = settings.bind_address, settings.web_port
        yield Check("health", partial(check_health, *address))
        yield Check("page", partial(check_page, *address))


def main() -> int:
    return examine("web", Settings, checks)


if __name__ == "__main__":
    sys.exit(main())
