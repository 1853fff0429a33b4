"""The service's settings, read once from the environment."""

from datetime import timedelta
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from wiki_common.duration import Duration, duration_text
from wiki_common.settings import Port
from wiki_common.spark import SparkSettings
from wiki_common.store.settings import StoreSettings
from wiki_web.data.queries import MAX_LIMIT


class Settings(SparkSettings, StoreSettings):
    """Each field is the environment variable of the same name in capitals; an empty one counts as unset."""

    web_engine: Literal["spark", "duckdb"] = "spark"
    web_port: Port = 5000
    web_window: Duration = timedelta(minutes=30)
    web_top_n: Annotated[int, Field(ge=1, le=MAX_LIMIT)] = 20
    web_refresh_seconds: Annotated[int, Field(ge=1, le=60)] = 2
    web_max_window: Duration = timedelta(hours=24)

    @model_validator(mode="after")
    def _check_windows(self) -> Self:
        shortest, longest = timedelta(minutes=1), timedelta(days=7)
        for name, value in (("WEB_WINDOW", self.web_window), ("WEB_MAX_WINDOW", self.web_max_window)):
            if not shortest <= value <= longest:
                raise ValueError(f"{name}={duration_text(value)}: from 1m to 7d is allowed")
        if self.web_window > self.web_max_window:
            raise ValueError(
                f"WEB_WINDOW={duration_text(self.web_window)}: "
                f"at most WEB_MAX_WINDOW={duration_text(self.web_max_window)} is allowed"
            )
        return self
