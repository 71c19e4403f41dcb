"""Events as Prometheus metrics; what each metric means is in docs/reference/metrics.md."""

from __future__ import annotations

from collections.abc import Callable

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from understudy.ports.telemetry import (
    ActionTried,
    AgentAsked,
    AutonomyMoved,
    BreakerChanged,
    CalibratorAdopted,
    DeliveryReported,
    Event,
    EventIgnored,
    HandOffMoved,
    HoldClosed,
    HoldOpened,
    HoldRaised,
    MessageReceived,
    MessageSent,
    NoteWritten,
    PledgeDue,
    PullFailed,
    ReleaseMoved,
    RemarkTaken,
    RequestRefused,
    StepFailed,
    SummaryTried,
    SystemAsked,
    SystemDrifted,
    TicketTried,
    TopicModelAdopted,
    TrialMade,
    TrialsRefused,
    TurnDecided,
    TurnSuperseded,
)

SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)
REVIEW_SECONDS = (5, 15, 30, 60, 120, 300, 600, 1800, 3600, 14400, 86400)
MILLISECONDS_AS_SECONDS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1)


TOPICS_MAX = 200
OTHER = "other"


class Metrics:
    """`ports.telemetry.Telemetry` as Prometheus metrics in a registry of its own."""

    def __init__(self) -> None:
        self.registry = registry = CollectorRegistry()

        def counter(name: str, text: str, *labels: str) -> Counter:
            return Counter(f"understudy_{name}", text, labels, registry=registry)

        def histogram(name: str, text: str, *labels: str, buckets: tuple[float, ...] = SECONDS) -> Histogram:
            return Histogram(f"understudy_{name}", text, labels, buckets=buckets, registry=registry)

        self.messages = counter("messages_received", "Customer messages taken in", "channel", "duplicate")
        self.ignored = counter("events_ignored", "What channels sent that is no message", "channel")
        self.pulls_failed = counter("pulls_failed", "Looks at a channel that failed", "channel")
        self.notes = counter("notes", "Tries to write a note into a help desk", "channel", "outcome")
        self.remarks = counter("remarks", "Remarks of colleagues in help desks", "channel", "outcome")
        self.reported = counter("deliveries_reported", "Reports of channels on replies", "channel", "outcome")
        self.refused = counter("requests_refused", "Requests turned away before anything was stored", "face", "code")
        self.turns = counter("turns", "Turns decided", "decision", "channel", "topic")
        self.reasons = counter("decision_reasons", "Reasons of decisions", "decision", "reason")
        self.findings = counter("findings", "Findings of checks", "check", "code", "severity")
        self.superseded = counter("turns_superseded", "Turns made void by a newer message", "was")
        self.turn_seconds = histogram("turn_seconds", "First message to decision", "decision")
        self.assess_seconds = histogram(
            "assess_seconds", "The pure assessment of a turn", buckets=MILLISECONDS_AS_SECONDS
        )
        self.agent_seconds = histogram("agent_seconds", "One request to the agent", "agent", "outcome")
        self.system_seconds = histogram(
            "system_seconds", "One look-up in a system of record", "system", "about", "outcome"
        )
        self.drifts = counter("system_drifts", "Answers in another shape than before", "system", "about", "kind")
        self.pledges = counter("pledges_told", "Promises to customers that people were told of", "kind", "what")
        self.hand_offs = counter("hand_offs_moved", "What became of waits for a person", "what", "detail")
        self.wait_seconds = histogram(
            "hand_off_wait_seconds", "Hand-off to a person's answer", "late", buckets=REVIEW_SECONDS
        )
        self.summaries = counter("summaries_tried", "Times a model was asked for a summary of a hand-off", "outcome")
        self.tickets = counter("tickets_tried", "Tries to open or tell a ticket", "system", "what", "outcome")
        self.breaker = Gauge("understudy_breaker_open", "1 while an agent is left alone", ("agent",), registry=registry)
        self.holds_opened = counter("holds_opened", "Holds and hand-offs opened", "kind", "channel")
        self.holds_closed = counter("holds_closed", "Holds and hand-offs closed", "how")
        self.holds_raised = counter("holds_raised", "Holds whose deadline passed")
        self.review_seconds = histogram("review_age_seconds", "Age of a hold when it closed", buckets=REVIEW_SECONDS)
        self.sent = counter("messages_sent", "Send attempts", "channel", "outcome")
        self.send_seconds = histogram("send_seconds", "One send attempt", "channel")
        self.outbox_age = histogram("outbox_age_seconds", "Queued to accepted", "channel")
        self.actions = counter("actions_tried", "Steps of carrying actions out", "action", "step", "outcome")
        self.autonomy = counter("autonomy_moves", "Changes of autonomy, and promotions proposed", "what")
        self.adopted = counter("learned_adopted", "Learned models that came into force", "what")
        self.releases = counter("release_moves", "What was done to releases", "agent", "what")
        self.trials = counter("trials", "Trials made for runs that a server was asked for", "suite", "outcome")
        self.trials_refused = counter("trials_refused", "Runs whose trials a process left to others", "suite", "code")
        self.failures = counter("steps_failed", "Steps that broke in a way nobody foresaw", "flow")
        self._gauges: list[Gauge] = []
        self._topics: set[str] = set()

    def watch(self, name: str, text: str, read: Callable[[], float]) -> None:
        """Add a gauge `understudy_NAME` whose value is read at each scrape."""
        gauge = Gauge(f"understudy_{name}", text, registry=self.registry)
        gauge.set_function(read)
        self._gauges.append(gauge)

    def render(self) -> bytes:
        """Write all metrics in the Prometheus text format."""
        return generate_latest(self.registry)

    def emit(self, event: Event) -> None:  # noqa: C901, PLR0912, PLR0915 - one flat case an event reads better than two half tables
        match event:
            case MessageReceived():
                self.messages.labels(event.channel, str(event.is_duplicate).lower()).inc()
            case RequestRefused():
                self.refused.labels(event.face, event.code).inc()
            case EventIgnored():
                self.ignored.labels(event.channel).inc()
            case PullFailed():
                self.pulls_failed.labels(event.channel).inc()
            case NoteWritten():
                self.notes.labels(event.channel, event.outcome).inc()
            case RemarkTaken():
                self.remarks.labels(event.channel, event.outcome).inc()
            case DeliveryReported():
                self.reported.labels(event.channel, event.outcome).inc()
            case TurnDecided():
                self._decided(event)
            case TurnSuperseded():
                self.superseded.labels(event.was).inc()
            case AgentAsked():
                self.agent_seconds.labels(event.agent, event.outcome).observe(event.took_ms / 1000)
            case SystemAsked():
                self.system_seconds.labels(event.system, event.about, event.outcome).observe(event.took_ms / 1000)
            case SystemDrifted():
                self.drifts.labels(event.system, event.about, event.kind).inc()
            case TicketTried():
                self.tickets.labels(event.system, event.what, event.outcome).inc()
            case SummaryTried():
                self.summaries.labels(event.outcome).inc()
            case PledgeDue():
                self.pledges.labels(event.kind, "broken" if event.is_broken else "due").inc()
            case HandOffMoved():
                self._moved(event)
            case BreakerChanged():
                self.breaker.labels(event.agent).set(1.0 if event.state == "open" else 0.0)
            case HoldOpened():
                self.holds_opened.labels(event.kind, event.channel).inc()
            case HoldClosed():
                self.holds_closed.labels(event.how).inc()
                self.review_seconds.observe(event.age_s)
            case HoldRaised():
                self.holds_raised.inc()
            case MessageSent():
                self._sent(event)
            case ActionTried():
                self.actions.labels(event.name, event.step, event.outcome).inc()
            case AutonomyMoved():
                self.autonomy.labels(event.what).inc()
            case CalibratorAdopted() | TopicModelAdopted():
                self.adopted.labels("topics" if isinstance(event, TopicModelAdopted) else "calibrator").inc()
            case ReleaseMoved():
                self.releases.labels(event.agent, event.what).inc()
            case TrialMade():
                self.trials.labels(event.suite, event.outcome).inc()
            case TrialsRefused():
                self.trials_refused.labels(event.suite, event.code).inc()
            case StepFailed():
                self.failures.labels(event.flow).inc()

    def _decided(self, event: TurnDecided) -> None:
        self.turns.labels(event.decision, event.channel, self._topic(event.topic)).inc()
        for reason in event.reasons:
            self.reasons.labels(event.decision, reason).inc()
        for finding in event.findings:
            self.findings.labels(finding.check, finding.code, finding.severity.value).inc()
        self.turn_seconds.labels(event.decision).observe(event.took_ms / 1000)
        self.assess_seconds.observe(event.assess_ms / 1000)

    def _moved(self, event: HandOffMoved) -> None:
        self.hand_offs.labels(event.what, event.detail).inc()
        if event.what == "ended":
            self.wait_seconds.labels(str(event.is_late).lower()).observe(event.waited_s)

    def _sent(self, event: MessageSent) -> None:
        self.sent.labels(event.channel, event.outcome).inc()
        self.send_seconds.labels(event.channel).observe(event.took_ms / 1000)
        if event.outcome == "accepted":
            self.outbox_age.labels(event.channel).observe(event.age_s)

    def _topic(self, topic: str) -> str:
        """A topic as a label. Callers may name any topic they like; past `TOPICS_MAX` of them all others are one."""
        if topic not in self._topics and len(self._topics) >= TOPICS_MAX:
            return OTHER
        self._topics.add(topic)
        return topic
