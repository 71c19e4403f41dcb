"""Agents, second opinions, summarisers, channels, systems of record and the identity provider, each built from its settings. Adapters are imported only where they are used."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import SecretStr

from understudy.adapters.channels.collected import CollectedChannel
from understudy.errors import ConfigurationError
from understudy.ports.acting import Executor
from understudy.ports.agent import Agent
from understudy.ports.channel import Channel
from understudy.ports.clock import Clock
from understudy.ports.identity import IdentityProvider
from understudy.ports.opinion import SecondOpinion
from understudy.ports.summariser import Summariser
from understudy.records.rest_notes import DeskShape
from understudy.settings.actions import DeclaredAction
from understudy.settings.channels import Desk, Remote, Rest, Vendor
from understudy.settings.mail import Email, MailOAuth, MailServer
from understudy.settings.matrix import Matrix
from understudy.settings.model import (
    AgentSettings,
    AgentVersion,
    ChannelSettings,
    ChatCompletionsAgent,
    FaqAgent,
    HttpAgent,
    PythonAgent,
    ResponsesAgent,
    Settings,
    WebChat,
    Webhook,
)
from understudy.settings.opinions import EmbeddingsOpinion, JudgeOpinion, OnnxOpinion, OpinionSettings
from understudy.settings.summaries import SummarySettings

if TYPE_CHECKING:
    from understudy.adapters.channels.mail_tokens import AccessTokens
    from understudy.adapters.channels.mailbox import Account
    from understudy.adapters.channels.rest import RestChannel


def build_agent(name: str, agent: AgentSettings, base: Path) -> Agent:
    """Build one agent; raises `ConfigurationError`. Adapters are imported only where they are used."""
    match agent:
        case FaqAgent():
            from understudy.adapters.agents.faq import FaqAgent as Faq

            try:
                return Faq(name=name, path=base / agent.knowledge)
            except ConfigurationError as error:
                raise ConfigurationError(f"agent {name!r}: {error.message}") from error
        case ChatCompletionsAgent():
            from understudy.adapters.agents.chat_completions import ChatCompletionsAgent as ChatCompletions

            return ChatCompletions(name=name, api_key=_plain(agent.api_key), **_rest(agent, "api_key"))
        case ResponsesAgent():
            from understudy.adapters.agents.responses import ResponsesAgent as Responses

            return Responses(name=name, api_key=_plain(agent.api_key), **_rest(agent, "api_key"))
        case HttpAgent():
            from understudy.adapters.agents.http_draft import HttpDraftAgent

            return HttpDraftAgent(name=name, api_key=_plain(agent.token), **_rest(agent, "token"))
        case PythonAgent():
            from understudy.adapters.agents.python_callable import PythonCallableAgent

            return PythonCallableAgent(name=name, function=agent.target, folder=base, version=agent.version)


def build_opinion(name: str, opinion: OpinionSettings, base: Path) -> SecondOpinion:
    """Build one second opinion; raises `ConfigurationError`."""
    match opinion:
        case OnnxOpinion():
            try:
                from understudy.adapters.agents.onnx_model import OnnxOpinion as OnnxModel
            except ModuleNotFoundError as error:
                raise ConfigurationError(
                    f"opinions.{name} needs what runs ONNX models: pip install 'understudy[onnx]'"
                ) from error
            folder = base / opinion.folder
            return OnnxModel(name=name, folder=folder, label=opinion.label, per=opinion.per, threads=opinion.threads)
        case JudgeOpinion():
            from understudy.adapters.agents.judge import JudgeOpinion as Judge

            key = _plain(opinion.api_key)
            return Judge(name=name, api_key=key, prompt=opinion.prompt, **_endpoint(opinion))
        case EmbeddingsOpinion():
            from understudy.adapters.agents.embeddings import EmbeddingsOpinion as Embeddings

            return Embeddings(name=name, api_key=_plain(opinion.api_key), **_endpoint(opinion))


def build_summariser(model: SummarySettings) -> Summariser:
    """Build what writes summaries of hand-offs; raises `ConfigurationError`."""
    from understudy.adapters.agents.summariser import ModelSummariser

    key = _plain(model.api_key)
    return ModelSummariser(api_key=key, prompt=model.prompt, language=model.language, **_endpoint(model))


def _endpoint(opinion: JudgeOpinion | EmbeddingsOpinion | SummarySettings) -> dict[str, Any]:
    return {"base_url": opinion.base_url, "model": opinion.model, "headers": opinion.headers}


def build_identity(settings: Settings, clock: Clock) -> IdentityProvider | None:
    """Build the identity provider, if there is one; raises `ConfigurationError`."""
    if (oidc := settings.sign_in.oidc) is None:
        return None
    try:
        from understudy.adapters.identity.oidc import OidcProvider
    except ModuleNotFoundError as error:
        raise ConfigurationError("sign_in.oidc needs its extra: pip install 'understudy[oidc]'") from error
    return OidcProvider(
        issuer=oidc.issuer,
        client_id=oidc.client_id,
        client_secret=_plain(oidc.client_secret),
        scopes=oidc.scopes,
        clock=clock,
        skew_s=oidc.clock_skew_s,
        timeout_s=oidc.timeout_s,
        kept_s=oidc.kept_s,
    )


def build_channel(
    name: str, channel: ChannelSettings, clock: Clock, settings: Settings, *, instead: str | None = None
) -> Channel:
    """Build one channel; raises `ConfigurationError`. `instead`: the server that one over REST sends to in a trial."""
    match channel:
        case WebChat():
            return CollectedChannel(name)
        case Webhook():
            from understudy.adapters.channels.webhook import WebhookChannel

            return WebhookChannel(
                name,
                url=channel.url,
                clock=clock,
                secrets=[secret.get_secret_value() for secret in channel.secrets],
                insecure=channel.insecure,
                honours_keys=channel.honours_keys,
                gives_ids=channel.gives_ids,
                timeout_s=channel.timeout_s,
                chars_max=channel.chars_max,
                text_chars_max=settings.limits.message_chars_max,
            )
        case Email():
            return mail_channel(name, channel, clock, settings)
        case Matrix():
            from understudy.adapters.channels.matrix import MatrixChannel

            token = channel.access_token.get_secret_value()
            rest = channel.model_dump(exclude={"kind", "access_token", "markup", "agent"})
            chars_max = settings.limits.message_chars_max
            return MatrixChannel(name, access_token=token, clock=clock, text_chars_max=chars_max, **rest)
        case _:
            return rest_channel(name, channel, clock, settings, instead=instead)


def mail_channel(name: str, channel: Email, clock: Clock, settings: Settings) -> Channel:
    """A mailbox; raises `ConfigurationError` where what it needs is not installed."""
    try:
        from understudy.adapters.channels.mail import MailChannel
    except ModuleNotFoundError as error:
        raise ConfigurationError(f"channel {name!r} needs what speaks IMAP and SMTP: pip install 'understudy[email]'") from error  # fmt: skip
    from understudy.adapters.channels.mail_reading import Reading
    from understudy.adapters.channels.mail_writing import Letterhead

    tokens = None if channel.oauth is None else _tokens(channel.oauth, clock, channel.timeout_s)
    address, domain = channel.address.lower(), channel.message_id_domain or channel.address.rpartition("@")[2].lower()
    return MailChannel(
        name,
        imap=_account(name, channel, channel.imap, {"tls": 993}.get(channel.imap.security, 143), tokens),
        smtp=_account(
            name, channel, channel.smtp, {"tls": 465, "starttls": 587}.get(channel.smtp.security, 25), tokens
        ),
        folder=channel.folder,
        reading=Reading(
            own=frozenset({address, *(alias.lower() for alias in channel.aliases)}),
            domain=domain,
            text_chars_max=settings.limits.message_chars_max,
            trusted=channel.trusted_host,
            is_proof_needed=channel.unproven == "review",
            forms=frozenset(form.lower() for form in channel.forms),
        ),
        letterhead=Letterhead(
            address=address,
            name=channel.sender_name or settings.business.name,
            domain=domain,
            reply_to=channel.reply_to,
            footer=channel.disclosure,
            copy_to=address if channel.copy_to_self else None,
        ),
        clock=clock,
        sent_folder=channel.sent_folder,
        from_the_start=channel.from_the_start,
        polls=channel.polls,
        bytes_max=channel.mail_bytes_max,
        per_sender_hour_max=channel.per_sender_hour_max,
        chars_max=channel.chars_max,
    )


def _tokens(oauth: MailOAuth, clock: Clock, timeout_s: float) -> AccessTokens:
    from understudy.adapters.channels.mail_tokens import OAuthTokens

    return OAuthTokens(
        url=oauth.token_url,
        client_id=oauth.client_id,
        client_secret=_plain(oauth.client_secret),
        refresh_token=_plain(oauth.refresh_token),
        scope=oauth.scope,
        now=clock.now,
        timeout_s=timeout_s,
    )


def _account(name: str, channel: Email, server: MailServer, port: int, tokens: AccessTokens | None) -> Account:
    if tokens is None and server.password is None and channel.password is None:
        raise ConfigurationError(
            f"channel {name!r}: the mailbox {channel.address} has no password; "
            f"set UNDERSTUDY__CHANNELS__{name.upper()}__PASSWORD, or …_FILE"
        )
    from understudy.adapters.channels.mailbox import Account

    return Account(
        host=server.host,
        port=server.port or port,
        user=server.user or channel.address,
        password=_plain(server.password or channel.password) or "",
        security=server.security,
        timeout_s=channel.timeout_s,
        certificates=None if channel.certificates is None else str(channel.certificates),
        tokens=tokens,
    )


def shape_of_channel(channel: Rest | Vendor) -> DeskShape:
    """The shape of a channel: the one in the configuration, or the vendor's that is shipped."""
    from understudy.adapters.channels.presets import shape_of

    return channel if isinstance(channel, Rest) else shape_of(channel.kind)


def rest_channel(
    name: str, channel: Rest | Vendor, clock: Clock, settings: Settings, *, instead: str | None = None
) -> RestChannel:
    """A channel as its shape describes it; `instead`: the server that it sends to in a trial."""
    shape = shape_of_channel(channel)
    if isinstance(channel, Rest):
        values, credentials = channel.values, channel.credentials
    else:
        shared = Remote.model_fields.keys() | Desk.model_fields.keys()
        own = {field: getattr(channel, field) for field in type(channel).model_fields.keys() - shared}
        values = {field: value for field, value in own.items() if isinstance(value, str) and field != "kind"}
        credentials = {field: value for field, value in own.items() if isinstance(value, SecretStr)}
    common: dict[str, Any] = {
        "clock": clock,
        "secrets": _all_plain(channel.secrets),
        "credentials": {field: secret.get_secret_value() for field, secret in credentials.items()},
        "values": values,
        "public_url": settings.server.public_url,
        "insecure": channel.insecure,
        "chars_max": channel.chars_max,
        "text_chars_max": settings.limits.message_chars_max,
        "timeout_s": channel.timeout_s,
        "instead": instead,
    }
    if isinstance(channel, Desk) and shape.notes is not None:
        from understudy.adapters.channels.rest_desk import DeskChannel

        is_noted = channel.review != "console"
        secrets = _all_plain(channel.note_secrets)
        return DeskChannel(name, shape, takes_notes=is_noted, note_secrets=secrets, **common)
    if isinstance(channel, Desk) and channel.review != "console":
        raise ConfigurationError(
            f"channel {name!r}: review = {channel.review!r} needs notes; describe the help desk's, or review in the console"
        )
    if shape.echoes:
        from understudy.adapters.channels.rest_echoes import EchoChannel

        return EchoChannel(name, shape, **common)
    from understudy.adapters.channels.rest import RestChannel

    return RestChannel(name, shape, **common)


def build_executors(settings: Settings, clock: Clock) -> dict[str, Executor]:
    """What carries out each declared action, by its name; raises `ConfigurationError`."""
    return {name: build_executor(name, one, clock) for name, one in sorted(settings.actions.declared.items())}


def build_executor(name: str, action: DeclaredAction, clock: Clock) -> Executor:
    """What carries out one action; raises `ConfigurationError`."""
    from understudy.adapters.channels.rest_actions import RestExecutor

    return RestExecutor(
        name,
        action,
        clock=clock,
        values=action.values,
        credentials={field: secret.get_secret_value() for field, secret in action.credentials.items()},
        argument_names=action.argument_names,
        timeout_s=action.timeout_s,
    )


def preset_of(kind: str) -> str:
    """The description of a vendor's channel that is shipped, or how one of another kind is configured, as TOML; raises `ConfigurationError` naming all there are."""
    from understudy.adapters.channels.presets import EXAMPLES, PRESETS, example_of, text_of

    if kind in EXAMPLES:
        return example_of(kind)
    if kind not in PRESETS:
        names = ", ".join((*PRESETS, *EXAMPLES))
        raise ConfigurationError(f"no channel is shipped under the kind {kind!r}; there are {names}")
    return text_of(kind)


def _all_plain(secrets: Sequence[SecretStr]) -> list[str]:
    return [secret.get_secret_value() for secret in secrets]


def _plain(secret: SecretStr | None) -> str | None:
    return None if secret is None else secret.get_secret_value()


def _rest(agent: ChatCompletionsAgent | ResponsesAgent | HttpAgent, secret: str) -> dict[str, Any]:
    return agent.model_dump(exclude={"kind", secret, *AgentVersion.model_fields})
