"""Every error this product raises on purpose; an error's docstring is its default message and says what to do.

    UnderstudyError
    ├── ConfigurationError          understudy.toml or the environment is wrong
    │   └── SuiteDiffers            a run is of other cases than this machine has
    ├── InputError                  what somebody sent cannot be used
    │   ├── MalformedInput
    │   ├── SignatureInvalid
    │   └── TooLarge
    ├── NotFound                    the named thing does not exist
    ├── Unauthenticated             nobody is known to ask
    │   └── SignInRefused
    ├── Forbidden                   the key lacks the scope
    │   └── CrossSite
    ├── Conflict                    the world moved on since the caller looked
    │   ├── StaleVersion
    │   ├── HoldClosed
    │   ├── ClaimedByOther
    │   ├── StepSuperseded
    │   └── KeyReused
    ├── Overloaded                  try again later; nothing was stored
    │   └── TooManyTries
    ├── BudgetSpent                 a run may ask no agent any more
    ├── AgentError                  the drafting agent did not give a draft
    │   ├── AgentUnavailable
    │   ├── AgentTimedOut
    │   └── AgentAnsweredNonsense
    └── StoreError                  the database refused

Programmer errors are not here: they are `assert`, `TypeError` and `ValueError`, and they crash.
"""

from __future__ import annotations

import inspect


class UnderstudyError(Exception):
    """Something went wrong."""

    code = "error"
    """Stable, machine-readable name; the last part of the problem type's URI in the HTTP API."""
    status = 500
    """HTTP status the web face answers with."""
    is_retryable = False
    """Whether the same call may succeed later without a change by the caller."""

    def __init__(self, message: str | None = None) -> None:
        super().__init__(message or inspect.cleandoc(type(self).__doc__ or "").split("\n\n")[0].replace("\n", " "))

    @property
    def message(self) -> str:
        return str(self.args[0])


class ConfigurationError(UnderstudyError):
    """The configuration cannot be used; run `understudy doctor` to see every problem and how to mend it."""

    code = "configuration"


class SuiteDiffers(ConfigurationError):
    """The run is of other cases than this machine's copy of the suite holds, so its trials are left to others."""

    code = "suite-differs"


class InputError(UnderstudyError):
    """What was sent cannot be used."""

    code = "input"
    status = 422


class MalformedInput(InputError):
    """The body is not what this endpoint or file format expects; compare it with the reference."""

    code = "malformed"
    status = 400


class SignatureInvalid(InputError):
    """The signature does not match the body; check the secret on both sides and that no proxy changes the body."""

    code = "signature-invalid"
    status = 401


class TooLarge(InputError):
    """The body is larger than this endpoint takes; send less or raise the limit in `[limits]`."""

    code = "too-large"
    status = 413


class NotFound(UnderstudyError):
    """There is nothing by that name."""

    code = "not-found"
    status = 404


class Unauthenticated(UnderstudyError):
    """No valid API key, and nobody signed in; send `Authorization: Bearer us_…` (`understudy keys create` makes one)."""

    code = "unauthenticated"
    status = 401


class SignInRefused(Unauthenticated):
    """The identity provider could not say who somebody is, or they may not come in; the log of the server says which."""

    code = "sign-in-refused"

    def __init__(self, message: str | None = None, *, why: str = "provider-refused") -> None:
        super().__init__(message)
        self.why = why


class Forbidden(UnderstudyError):
    """This key or user may not do that; `understudy keys create` makes a key with the scope, `understudy users change`
    gives another role."""

    code = "forbidden"
    status = 403


class CrossSite(Forbidden):
    """A page of another site asked for a change by this browser's cookie; nothing was done."""

    code = "cross-site"


class Conflict(UnderstudyError):
    """The thing changed since it was read; read it again and decide again."""

    code = "conflict"
    status = 409


class StaleVersion(Conflict):
    """The hold changed since it was read, so the verdict was not taken; read it again and decide again."""

    code = "stale-version"
    status = 412


class HoldClosed(Conflict):
    """The hold is closed already; nothing was sent for this verdict."""

    code = "hold-closed"


class TooLate(Conflict):
    """A verdict was carried out, so that it cannot be taken back any more."""

    code = "too-late"


class ClaimedByOther(Conflict):
    """Another reviewer works on this hold; wait until the claim lapses or ask them to release it."""

    code = "claimed-by-other"


class TakenByOther(Conflict):
    """Another person has this conversation; take it from them by name, and they are told."""

    code = "taken-by-other"

    def __init__(self, message: str | None = None, *, taken_by: str | None = None) -> None:
        super().__init__(message)
        self.taken_by = taken_by


class StepSuperseded(Conflict):
    """The turn moved on while this step was under way; its result was thrown away."""

    code = "step-superseded"


class KeyReused(Conflict):
    """The idempotency key was used before with another body; use a new key for a new request."""

    code = "key-reused"
    status = 422


class Overloaded(UnderstudyError):
    """Too many messages are waiting; nothing was stored, send it again after the given time."""

    code = "overloaded"
    status = 503
    is_retryable = True

    def __init__(self, message: str | None = None, *, retry_after_s: int = 5) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class TooManyTries(Overloaded):
    """Too many tries to sign in; wait for the given time, or ask an admin for a new password."""

    code = "too-many-tries"
    status = 429


class BudgetSpent(UnderstudyError):
    """The run has spent its budget; what is finished is kept, run it again with a larger `--budget` to go on."""

    code = "budget-spent"


class AgentError(UnderstudyError):
    """The agent gave no draft."""

    code = "agent-error"
    status = 502


class AgentUnavailable(AgentError):
    """The agent could not be reached or answered with a server error; look at its own log."""

    code = "agent-unavailable"
    is_retryable = True

    def __init__(self, message: str | None = None, *, retry_after_s: float | None = None) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class AgentTimedOut(AgentError):
    """The agent did not answer within the deadline; raise `drafting.deadline_s` or make it quicker."""

    code = "agent-timed-out"
    status = 504
    is_retryable = True


class AgentAnsweredNonsense(AgentError):
    """The agent's answer is not a draft; compare it with the draft schema."""

    code = "agent-answered-nonsense"


class ChannelUnreachable(UnderstudyError):
    """A channel's server cannot be reached or does not let us in; `understudy doctor` says how to mend it."""

    code = "channel-unreachable"
    status = 503
    is_retryable = True


class StoreError(UnderstudyError):
    """The database refused; see the message below and `understudy doctor`."""

    code = "store"
    status = 503
    is_retryable = True
