"""The settings of metrics, traces, error reports and logs. ``settings`` has all others."""

from typing import Annotated, Literal

from hrims.config.audit import AuditSettings
from hrims.config.values import header_token, url, yes_or_no
from hrims.config.variables import setting


class OperationSettings(AuditSettings, frozen=True, kw_only=True):
    """What an operator sees of the processes."""

    # Metrics
    metrics_token: Annotated[
        str | None,
        setting(
            "HRIMS_METRICS_TOKEN",
            "token that a scrape of /metrics sends; it needs no database",
            prepare=header_token,
            secret=True,
        ),
    ] = None
    metrics_open: Annotated[
        bool, setting("HRIMS_METRICS_OPEN", "yes shows metrics without a token", prepare=yes_or_no)
    ] = False
    metrics_port: Annotated[
        int,
        setting(
            "HRIMS_METRICS_PORT", "port on which a worker serves its metrics; 0 for none", ge=0, le=65535
        ),
    ] = 0

    min_free_mb: Annotated[
        int,
        setting(
            "HRIMS_MIN_FREE_MB",
            "free space in MB at the embedded database below which the product is not ready",
            ge=0,
            le=1_000_000,
        ),
    ] = 200

    # Traces and error reports
    otel_endpoint: Annotated[
        str | None,
        setting(
            "OTEL_EXPORTER_OTLP_ENDPOINT",
            "address of an OpenTelemetry collector (OTLP over HTTP) for traces; needs hrims-sync[otel]",
            prepare=url,
        ),
    ] = None
    sentry_dsn: Annotated[
        str | None,
        setting("SENTRY_DSN", "address of Sentry for error reports; needs hrims-sync[sentry]", secret=True),
    ] = None
    sentry_environment: Annotated[
        str, setting("SENTRY_ENVIRONMENT", "name of the installation in error reports")
    ] = "production"

    # Logs
    log_level: Annotated[
        Literal["debug", "info", "warning", "error"],
        setting("HRIMS_LOG_LEVEL", "least level that is logged", prepare=str.lower),
    ] = "info"
    log_format: Annotated[
        Literal["text", "json"], setting("HRIMS_LOG_FORMAT", "text or json", prepare=str.lower)
    ] = "text"
