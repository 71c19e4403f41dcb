"""The sections of `understudy.toml` as types, each setting with its unit, default and range; it reads no file.

Every key is described in docs/reference/settings.md, which a test compares with this module.
"""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, SecretStr

from understudy.records.policy import Markup, RuleKind
from understudy.settings.actions import Actions
from understudy.settings.asking import CsatSettings, OptOutSettings
from understudy.settings.autonomy import Autonomy
from understudy.settings.channels import Rest, Vendor
from understudy.settings.disclosure import DisclosureSettings
from understudy.settings.evaluation import EvaluationSettings
from understudy.settings.identity import Identity
from understudy.settings.learning import LearningSettings
from understudy.settings.mail import Email
from understudy.settings.matrix import Matrix
from understudy.settings.opinions import OpinionSettings
from understudy.settings.pledges import PledgesSettings
from understudy.settings.releases import ReleasesSettings
from understudy.settings.section import Section
from understudy.settings.sign_in import SignInSettings
from understudy.settings.staffing import SlaSettings, StaffingSettings, TeamSettings
from understudy.settings.summaries import SummarySettings
from understudy.settings.systems import System
from understudy.settings.telemetry import TelemetrySettings
from understudy.settings.trust import Trust


class Business(Section):
    """What the business says of itself; drafts may repeat any of it."""

    name: str = Field("the business", description="shown to customers as the assistant's name")
    domains: list[str] = Field([], description="its own web and mail domains; links and addresses there are no leak")
    emails: list[str] = Field([], description="addresses a draft may name")
    phones: list[str] = Field([], description="phone numbers a draft may name")
    facts: list[str] = Field([], description="short true sentences a draft may rest on")
    languages: list[str] = Field([], description="ISO 639-1 codes drafts may be in; empty = the customer's language")
    timezone: str = Field("UTC", description="IANA name of the zone that `hours` are in, such as Europe/Berlin")
    hours: list[str] = Field([], description='when people are there, such as "mon-fri 09:00-17:00"')
    holidays: list[date] = Field([], description="days on which nobody is there, such as 2026-12-25")


class StoreSettings(Section):
    """Where everything is kept."""

    url: str = Field(
        "sqlite:///understudy-data/understudy.db",
        description="sqlite:///FILE (relative to the configuration file) or postgresql://user@host/name",
    )
    migrate_at_start: bool = Field(
        True, description="false: a database that lacks a step of the schema is refused; run `understudy migrate` first"
    )


class Server(Section):
    """The HTTP server."""

    host: str = Field("127.0.0.1", description="address to listen on")
    port: int = Field(8080, ge=0, le=65535, description="port to listen on; 0 = any free one")
    workers: int = Field(
        1, ge=1, le=64, description="processes that serve and work, as with `serve --workers`; PostgreSQL only"
    )
    drain_s: float = Field(
        0.0, ge=0, description="after SIGTERM, go on answering for so long with /readyz at 503, for a load balancer"
    )
    public_url: str | None = Field(None, description="how others reach this server; default http://HOST:PORT")
    metrics_need_key: bool = Field(False, description="true: /metrics wants an API key with scope metrics:read")
    mcp: bool = Field(
        False,
        description="true: declared actions are MCP tools at /mcp, for API keys with scope turns:write; needs understudy[mcp]",
    )
    trusted_proxies: list[str] = Field(["127.0.0.1"], description="whose X-Forwarded-* headers are believed")


class Limits(Section):
    """Named bounds; beyond the backlog a message is refused before it is acknowledged."""

    backlog_max: int = Field(5_000, ge=1, description="turns waiting for this system before new ones get a 503")
    body_bytes_max: int = Field(1_000_000, ge=1_000, description="largest request body, in bytes")
    message_chars_max: int = Field(20_000, ge=1, description="longest single customer message, in characters")
    drafts_in_flight_max: int = Field(64, ge=1, description="requests to agents at once, in this process")


class Coalescing(Section):
    """How long to wait for the rest of a burst of messages, in seconds; the pause adapts between the bounds."""

    window_s_min: float = Field(0.4, ge=0, description="pause after a message that looks finished")
    window_s_max: float = Field(4.0, ge=0, description="pause after a message that looks unfinished")
    burst_s_max: float = Field(12.0, ge=0, description="longest burst, from its first message on")


class DraftingSettings(Section):
    """Which agent drafts, and how long it may take."""

    agent: str | None = Field(None, description="name of the agent in [agents]; default: the only one there")
    fallback: str | None = Field(None, description="name of the agent that is asked when the first gives no draft")
    deadline_s: float = Field(30.0, gt=0, description="for the whole draft, tries and fallback included")
    attempts_max: int = Field(3, ge=1, le=10, description="tries per agent")
    place_wait_s_max: float = Field(
        120.0, ge=0, description="longest wait for places at agents that have a limit, before `agent_failed`"
    )


class AgentBounds(Section):
    """How much an agent may be asked, by all processes together; more waits, and its deadline begins after the wait."""

    at_once_max: int | None = Field(
        None, ge=1, description="requests to it at once, of all processes; default: no limit"
    )
    per_minute_max: int | None = Field(
        None, ge=1, description="requests to it in any 60 s, of all processes, retries included; default: no limit"
    )


class AgentVersion(AgentBounds):
    """What makes an entry of `[agents]` a version of an agent."""

    release_of: str | None = Field(
        None, description="this entry is another version of that agent, and drafts only as far as it was released"
    )
    files: list[Path] = Field(
        [], description="further files and folders that belong to this version (prompts, tools, documents), for its id"
    )
    honours_rehearsal: bool = Field(
        False, description="true: asked with `rehearsal`, it does nothing but draft; needed for shadow and probes"
    )


class FaqAgent(AgentVersion):
    """The built-in agent: it quotes passages of documents, or says that it does not know. Needs no model."""

    kind: Literal["faq"]
    knowledge: Path = Field(description="folder of .md and .txt files, or one .jsonl[.gz] file")


class ChatCompletionsAgent(AgentVersion):
    """Any OpenAI-compatible Chat Completions endpoint."""

    kind: Literal["chat_completions"]
    base_url: str = Field(description="up to and including /v1")
    model: str = Field(description="the model's name")
    api_key: SecretStr | None = Field(None, description="better set by environment or *_FILE")
    system_prompt: str | None = Field(None, description="put before the conversation")
    version: str | None = Field(None, description="the agent version to record")
    headers: dict[str, str] = Field({}, description="sent with each request")


class ResponsesAgent(AgentVersion):
    """Any OpenAI-compatible Responses endpoint."""

    kind: Literal["responses"]
    base_url: str = Field(description="up to and including /v1")
    model: str = Field(description="the model's name")
    api_key: SecretStr | None = Field(None, description="better set by environment or *_FILE")
    system_prompt: str | None = Field(None, description="sent as `instructions`")
    version: str | None = Field(None, description="the agent version to record")
    headers: dict[str, str] = Field({}, description="sent with each request")


class HttpAgent(AgentVersion):
    """Your own HTTP service that answers `POST /draft`."""

    kind: Literal["http"]
    url: str = Field(description="the full URL of your /draft endpoint")
    token: SecretStr | None = Field(None, description="sent as bearer token")
    version: str | None = Field(None, description="the agent version to record where the draft names none")
    headers: dict[str, str] = Field({}, description="sent with each request")


class PythonAgent(AgentVersion):
    """A Python callable in this process."""

    kind: Literal["python"]
    target: str = Field(description="module:function, sync or async")
    version: str | None = Field(None, description="the agent version to record where the draft names none")


AgentSettings = Annotated[
    FaqAgent | ChatCompletionsAgent | ResponsesAgent | HttpAgent | PythonAgent, Field(discriminator="kind")
]


class WebChat(Section):
    """The embeddable web chat at /chat."""

    kind: Literal["webchat"]
    title: str = Field("Chat with us", description="heading of the chat")
    greeting: str = Field("Hello! How can we help?", description="shown before the first message")
    disclosure: str = Field(
        "You are talking to an AI assistant. Ask for a person at any time.",
        description="tells customers that they talk to an AI; shown at the first turn",
    )
    colour: str = Field("#1f5f8b", pattern=r"^#[0-9a-fA-F]{6}$", description="accent colour, #rrggbb")
    allowed_origins: list[str] = Field([], description="sites that may embed the chat; empty = only this server's own")
    agent: str | None = Field(None, description="agent for this channel; default: drafting.agent")
    chars_max: int | None = Field(None, ge=1, description="longest reply that suits it, in characters")
    markup: Markup = Field("none", description="what it renders; the built-in chat shows text as it stands")


class Webhook(Section):
    """A generic signed webhook (Standard Webhooks), in and out."""

    kind: Literal["webhook"]
    secrets: list[SecretStr] = Field([], description="`whsec_…` secrets; several while one is being replaced")
    url: str = Field(description="where replies are posted")
    honours_keys: bool = Field(True, description="true: the receiver ignores a repeated webhook-id")
    gives_ids: bool = Field(
        False, description="true: the receiver answers each reply with its `id`; a 2xx without one is then unknown"
    )
    timeout_s: float = Field(10.0, gt=0, description="for one send")
    chars_max: int | None = Field(None, ge=1, description="longest reply it takes, in characters")
    markup: Markup | None = Field(None, description="what it renders; a draft with other markup is a finding")
    insecure: bool = Field(False, description="true: accept unsigned requests; shows red in doctor")
    agent: str | None = Field(None, description="agent for this channel; default: drafting.agent")


ChannelSettings = Annotated[WebChat | Webhook | Email | Matrix | Rest | Vendor, Field(discriminator="kind")]


class CheckSettings(Section):
    """How one check counts."""

    enabled: bool = Field(True, description="false: the check does not run; shows in doctor")
    on_failure: Literal["hold", "ignore"] = Field("hold", description="what a broken check means for the draft")
    weight: float | None = Field(
        None, ge=0, description="weight of its signal in log-odds, from which learning starts; default: the check's own"
    )


class TopicSettings(Section):
    """A topic recognised by words."""

    phrases: list[str] = Field(description="any of these in the customer's message names the topic; case is ignored")


class SafeReplySettings(Section):
    """A reply that a person approved beforehand."""

    text: str = Field(min_length=1, description="what the customer reads")
    version: int = Field(1, ge=1, description="raise it with every change")
    then_hand_off: bool = Field(False, description="true: a person follows up")
    translations: dict[str, str] = Field(
        {}, description="ISO 639-1 code -> what customers who write in that language read instead"
    )


class Routing(Section):
    """What happens instead of a draft."""

    degrade_on: dict[str, str] = Field({}, description="reason code -> safe reply, e.g. agent_failed")
    hand_off_codes: list[str] = Field(
        [], description="finding names that hand off; empty = the built-in list; escalation.wants_person always does"
    )
    hand_off_notice: str | None = Field(None, description="safe reply sent when a person takes over")
    nobody_home: str | None = Field(
        None,
        description="safe reply sent in its place outside `business.hours`; `{date}` and `{time}` in it become by when somebody writes",
    )
    nobody_home_within_h: float = Field(
        1.0, ge=0, description="that is so many hours after people come; it is owed, and people hear of it in time"
    )


class ForbiddenSettings(Section):
    """Something this business never says."""

    phrase: str = Field(min_length=1, description="plain words, case is ignored")
    why: str = Field("the business never says this", description="shown to reviewers")


class PolicyRuleSettings(Section):
    """A rule on wording, with drafts beside it that show what it means; `understudy doctor` tries them."""

    name: str = Field(min_length=1, description="how doctor and errors call it")
    kind: RuleKind = Field(
        "forbidden", description="what the words are; `required` ones must be there, others must not"
    )
    phrases: list[str] = Field([], description="plain words, case is ignored")
    patterns: list[str] = Field([], description="RE2 regular expressions, case is ignored; no look-around")
    why: str = Field("", description="shown to reviewers")
    severity: Literal["minor", "major", "blocking"] | None = Field(
        None, description="default: major for competitor and required, else blocking"
    )
    topics: list[str] = Field([], description="only on these topics; empty = all")
    channels: list[str] = Field([], description="only on these channels; empty = all")
    when: list[str] = Field([], description="only where the draft or the customer says one of these; empty = always")
    hours: Literal["always", "open", "closed"] = Field("always", description="only within, or outside, business.hours")
    passes: list[str] = Field([], description="drafts that keep the rule")
    fails: list[str] = Field([], description="drafts that break it")


class Policy(Section):
    """Rules on wording."""

    forbidden: list[ForbiddenSettings] = Field([], description="phrases that hold a draft")
    rules: list[PolicyRuleSettings] = Field([], description="rules of other kinds, and with patterns")


class Review(Section):
    """How people decide."""

    expires_after_s: float = Field(900.0, ge=0, description="age at which a hold is overdue; 0 = never")
    on_expiry: Literal["raise", "safe_reply"] = Field(
        "raise", description="an overdue draft hold is put before all others, or answered by expiry_reply and a person"
    )
    expiry_reply: str | None = Field(None, description="safe reply for on_expiry = safe_reply")
    claim_lease_s: float = Field(60.0, gt=0, description="how long a claim lasts without a heartbeat")
    undo_s: float = Field(
        10.0,
        ge=0,
        le=120,
        description="for so long a verdict given in the console waits and can be taken back; 0 = it takes effect at once",
    )
    seed_rate: float = Field(
        0.015, ge=0, le=0.2, description="beside so many of the held drafts a known-bad one is planted; 0 = never"
    )
    seed_age_days: float = Field(
        14.0, ge=0, description="rejected drafts are planted again once so old; never before who rejected them"
    )
    second_rate: float = Field(
        0.1, ge=0, le=1, description="share of the verdicts on sampled drafts that another reviewer gives too, blind"
    )
    discounts: bool = Field(
        True, description="approvals of who approves faster than one can read and misses planted drafts are no evidence"
    )
    words_per_minute_max: float = Field(700.0, gt=0, description="nobody reads drafts faster and understands them")


class OutboxSettings(Section):
    """How replies are sent."""

    attempts_max: int = Field(8, ge=1, description="tries before a person takes the conversation")
    lease_s: float = Field(60.0, gt=0, description="longest single send")
    backoff_base_s: float = Field(1.0, gt=0, description="first pause between tries")
    backoff_max_s: float = Field(300.0, gt=0, description="longest pause between tries")


class OpenAiFace(Section):
    """Understudy in the place of an OpenAI-compatible endpoint (`/v1/chat/completions`)."""

    wait_s: float = Field(25.0, ge=0, le=120, description="how long a request waits for a person")
    held_notice: str = Field(
        "Thank you. A colleague is checking the answer and will reply here shortly.",
        description="what the caller gets where no person decided in time",
    )


class Settings(Section):
    """The whole configuration."""

    business: Business = Business()
    store: StoreSettings = StoreSettings()
    server: Server = Server()
    sign_in: SignInSettings = SignInSettings()
    limits: Limits = Limits()
    coalescing: Coalescing = Coalescing()
    drafting: DraftingSettings = DraftingSettings()
    agents: dict[str, AgentSettings] = Field({})
    channels: dict[str, ChannelSettings] = Field({})
    systems: dict[str, System] = Field({})
    releases: ReleasesSettings = ReleasesSettings()
    autonomy: Autonomy = Autonomy()
    learning: LearningSettings = LearningSettings()
    checks: dict[str, CheckSettings] = Field({})
    opinions: dict[str, OpinionSettings] = Field({})
    topics: dict[str, TopicSettings] = Field({})
    safe_replies: dict[str, SafeReplySettings] = Field({})
    routing: Routing = Routing()
    policy: Policy = Policy()
    actions: Actions = Actions()
    review: Review = Review()
    trust: Trust = Trust()
    identity: Identity = Identity()
    pledges: PledgesSettings = PledgesSettings()
    teams: dict[str, TeamSettings] = Field({})
    sla: SlaSettings = SlaSettings()
    staffing: StaffingSettings = StaffingSettings()
    summaries: SummarySettings | None = None
    outbox: OutboxSettings = OutboxSettings()
    disclosure: DisclosureSettings = DisclosureSettings()
    opt_out: OptOutSettings = OptOutSettings()
    csat: CsatSettings = CsatSettings()
    openai: OpenAiFace = OpenAiFace()
    evaluation: EvaluationSettings = EvaluationSettings()
    telemetry: TelemetrySettings = TelemetrySettings()
