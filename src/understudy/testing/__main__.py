"""`python -m understudy.testing KIND`: one fake, to try a configuration on; what customers write is read from standard input.

    python -m understudy.testing chatwoot --port 9001 --webhook http://127.0.0.1:8080/webhooks/desk --fault drip=0.2

Each line `TEXT`, or `CUSTOMER: TEXT`, is a message; what the customer sees and what was wrong with a request is printed.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import sys
from collections.abc import Sequence

from understudy.testing.fakes import PROVIDERS
from understudy.testing.fault_proxy import FaultProxy
from understudy.testing.faults import WORDS, Fault, Plan, Rule
from understudy.testing.listening import Listening
from understudy.testing.llm import LlmEndpoint
from understudy.testing.provider import Provider

LOOK_EVERY_S = 0.2
CUSTOMER = "4915100000001"


def main(words: Sequence[str] | None = None) -> None:
    """Run one fake until standard input ends or Ctrl-C."""
    faults = "; ".join(f"{fault.value}: {said}" for fault, said in WORDS.items())
    parser = argparse.ArgumentParser(prog="python -m understudy.testing", description=__doc__.splitlines()[0] if __doc__ else "")  # fmt: skip
    parser.add_argument("kind", choices=[*PROVIDERS, "llm"])
    parser.add_argument("--port", type=int, default=0, help="to listen on; default: any free one")
    parser.add_argument("--webhook", help="where it posts what customers write")
    parser.add_argument("--secret", help="with which it signs; default: a made-up one, which is printed")
    parser.add_argument("--fault", action="append", default=[], metavar="FAULT[=SHARE]", help=f"of its answers. {faults}")  # fmt: skip
    parser.add_argument("--seed", type=int, default=1, help="of what goes wrong")
    chosen = parser.parse_args(words)
    try:
        rules = [_rule(text) for text in chosen.fault]
    except ValueError as error:
        parser.error(str(error))
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(_serve(chosen, rules))


def _rule(text: str) -> Rule:
    """Read drip=0.2; raises `ValueError`."""
    name, _, share = text.partition("=")
    if name not in [fault.value for fault in Fault]:
        raise ValueError(f"--fault {name!r}: there is {', '.join(fault.value for fault in Fault)}")
    try:
        return Rule(fault=Fault(name), share=float(share or 1))
    except ValueError as error:
        raise ValueError(f"--fault {text}: {error}") from error


async def _serve(chosen: argparse.Namespace, rules: Sequence[Rule]) -> None:
    fake = _fake(chosen, port=0 if rules else chosen.port)
    async with fake:
        if not rules:
            return await _talk(fake, fake.url)
        async with FaultProxy(fake.url, plan=Plan(rules, seed=chosen.seed), port=chosen.port) as proxy:
            return await _talk(fake, proxy.url)


def _fake(chosen: argparse.Namespace, *, port: int) -> Provider | LlmEndpoint:
    if chosen.kind == "llm":
        return LlmEndpoint(port=port)
    secret = {} if chosen.secret is None else {"secret": chosen.secret}
    return PROVIDERS[chosen.kind](port=port, webhook=chosen.webhook, seed=chosen.seed, **secret)


async def _talk(fake: Provider | LlmEndpoint, url: str) -> None:
    """Let customers write the lines of standard input, and print what they see."""
    _say(f"listens on {url}" + (f", signs with {fake.secret}" if isinstance(fake, Provider) else ""))
    telling = asyncio.ensure_future(_tell(fake))
    try:
        while line := await asyncio.to_thread(sys.stdin.readline):
            customer, colon, text = line.strip().partition(": ")
            if isinstance(fake, Provider) and line.strip():
                said, who = (text, customer) if colon else (line.strip(), CUSTOMER)
                wrote = await fake.customer_writes(said, conversation=who)
                _say(f"{who} wrote; it was {'acknowledged' if wrote.is_acknowledged else 'NOT acknowledged'}")
        await asyncio.sleep(LOOK_EVERY_S * 2)
    finally:
        telling.cancel()


async def _tell(fake: Listening) -> None:
    told = complained = 0
    while True:
        taken = fake.taken if isinstance(fake, Provider) else []
        complaints = fake.complaints if isinstance(fake, Provider | LlmEndpoint) else []
        for one in taken[told:]:
            _say(f"{one.conversation} sees: {one.text}")
        for wrong in complaints[complained:]:
            _say(f"wrong: {wrong}")
        told, complained = len(taken), len(complaints)
        await asyncio.sleep(LOOK_EVERY_S)


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
