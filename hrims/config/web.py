"""The settings of the web process."""

import re
from typing import Annotated

from hrims.config.operation import OperationSettings
from hrims.config.values import host_names
from hrims.config.variables import setting
from hrims.errors import ConfigError


class WebSettings(OperationSettings, frozen=True, kw_only=True):
    """Where the web process listens, and its limits."""

    host: Annotated[str, setting("HRIMS_HOST", "address on which the web process listens")] = "127.0.0.1"
    port: Annotated[int, setting("PORT", "port on which the web process listens", ge=1, le=65535)] = 9002
    web_processes: Annotated[
        int, setting("HRIMS_WEB_PROCESSES", "processes that answer pages", ge=1, le=64)
    ] = 1
    web_threads: Annotated[int, setting("HRIMS_WEB_THREADS", "threads in each of them", ge=2, le=500)] = 32
    max_streams: Annotated[
        int, setting("HRIMS_MAX_STREAMS", "event streams that one process holds open at once", ge=0, le=500)
    ] = 16
    streams_per_user: Annotated[
        int,
        setting(
            "HRIMS_STREAMS_PER_USER",
            "event streams that one user, with all tokens, holds open at once, over all processes",
            ge=0,
            le=10000,
        ),
    ] = 4
    web_read_seconds: Annotated[
        float,
        setting("HRIMS_WEB_READ_SECONDS", "seconds in which a request must have arrived", ge=1, le=600),
    ] = 20.0
    web_statement_seconds: Annotated[
        float,
        setting(
            "HRIMS_WEB_STATEMENT_SECONDS", "seconds after which a statement of a request ends", ge=1, le=3600
        ),
    ] = 30.0
    connections_per_address: Annotated[
        int,
        setting(
            "HRIMS_CONNECTIONS_PER_ADDRESS",
            "connections of one address to one web process; 0 for no limit",
            ge=0,
            le=10000,
        ),
    ] = 100
    max_body_kb: Annotated[
        int, setting("HRIMS_MAX_BODY_KB", "largest request body, in KB", ge=1, le=102400)
    ] = 256
    trusted_proxies: Annotated[
        int,
        setting("HRIMS_TRUSTED_PROXIES", "proxies in front whose X-Forwarded-For is believed", ge=0, le=10),
    ] = 0
    hosts: Annotated[
        frozenset[str],
        setting(
            "HRIMS_HOSTS",
            "host names that are served, separated by commas",
            prepare=host_names,
        ),
    ] = frozenset()

    def __post_init__(self) -> None:
        if self.max_streams >= self.web_threads:
            raise ConfigError(
                "HRIMS_MAX_STREAMS must be below HRIMS_WEB_THREADS, or streams take every thread "
                "and no page is answered. Nothing was started."
            )

    @property
    def served_hosts(self) -> frozenset[str]:
        """The host names that are served: HRIMS_HOSTS, and HRIMS_HOST if it is a name."""
        return self.hosts | ({self.host.lower()} if re.search(r"[g-zG-Z]", self.host) else set())
