"""What a worker measures of itself, for /metrics. Names carry their units."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram


class Telemetry:
    """The metrics of one worker."""

    def __init__(self, service: str, registry: CollectorRegistry | None = None) -> None:
        self.registry = registry or CollectorRegistry()
        common = {"namespace": "openitem", "registry": self.registry}
        labels = ["service"]
        self._service = service

        def counter(name: str, text: str) -> Counter:
            return Counter(name, text, labels, **common).labels(service)  # type: ignore[arg-type]

        def gauge(name: str, text: str) -> Gauge:
            return Gauge(name, text, labels, **common).labels(service)  # type: ignore[arg-type]

        def histogram(name: str, text: str, buckets: tuple[float, ...]) -> Histogram:
            return Histogram(name, text, labels, buckets=buckets, **common).labels(service)  # type: ignore[arg-type]

        seconds = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0)
        self.records = counter("records_total", "Records taken from Kafka.")
        self.published = counter("published_total", "Messages published.")
        self.dead_letters = counter("dead_letters_total", "Messages that became dead letters.")
        self.retries = counter("retries_total", "Transactions or publications tried again.")
        self.batch_records = histogram(
            "batch_records", "Records in one transaction.", (1, 5, 20, 100, 500, 1000, 2000)
        )
        self.commit_seconds = histogram("commit_seconds", "Time of one transaction.", seconds)
        self.publish_seconds = histogram("publish_seconds", "Time of one publication.", seconds)
        self.lanes = gauge("lanes", "Lanes this worker owns.")
        self.halted_lanes = gauge("halted_lanes", "Lanes stopped by an alarm.")
        self.parked = gauge("parked_messages", "Parked messages on this worker's lanes.")
        self.outbox_waiting = gauge(
            "outbox_waiting_messages", "Committed messages that are not published yet."
        )
        self.lag = gauge("lag_records", "Records in Kafka behind this worker's lanes.")
