"""A small chat with one customer after a take-over: lines typed here go to them; who decides when is not its business.

A line that begins with / is a command and never goes to the customer.
"""

from __future__ import annotations

from typing import Any, Protocol

from rich.console import Console
from rich.text import Text

from understudy.cli import review_screen
from understudy.cli.keyboard import Keyboard
from understudy.cli.plain_text import shown
from understudy.client.errors import ApiError, ServerUnreachable
from understudy.client.models import Conversation

CHAT_POLL_S = 2.0
"""How soon a new message of the customer is shown."""


class ChatClient(Protocol):
    """The calls a chat needs."""

    def conversation(self, conversation_id: str, /) -> Conversation:
        """Read the conversation."""
        ...

    def say(self, conversation_id: str, text: str, /) -> Any:
        """Write to the customer."""
        ...

    def hand_back(self, conversation_id: str, /) -> Any:
        """Hand the conversation back to the agent."""
        ...


def chat(client: ChatClient, console: Console, keys: Keyboard, conversation: Conversation) -> None:
    """Talk until the conversation is handed back, left, or taken away by a colleague. `conversation` was shown already.

    Raises `EOFError` where the input ends; the conversation then stays with the reviewer, and that is said.
    """
    seen = max((message.seq for message in conversation.messages), default=0)
    sent: list[str] = []
    trouble = ""
    console.print(
        Text("You are in the conversation. ", style="bold").append(
            "Each line goes to the customer; /back hands back to the agent, /quit leaves it with you.", style="not bold"
        )
    )
    _prompt(console)
    while True:
        try:
            line = keys.line(CHAT_POLL_S)
        except EOFError:
            _leave(console)
            raise
        try:
            if line is not None and _obeys(client, console, conversation.id, line.strip(), sent):
                return
            now = client.conversation(conversation.id)
        except (ApiError, ServerUnreachable) as error:
            if line is not None or str(error) != trouble:  # once, not at every look for new messages
                trouble = str(error)
                console.print(shown(f"That did not work: {error}", "bold red"))
                _prompt(console)
            continue
        fresh = [m for m in now.messages if m.seq > seen and not (m.author == "reviewer" and m.text in sent)]
        seen = max((message.seq for message in now.messages), default=seen)
        if fresh:
            console.print()
            console.print(review_screen.messages(fresh))
        if now.mode != "person":
            console.print(Text("The conversation is with the agent again; you no longer write in it.", style="bold"))
            return
        if line is not None or fresh:
            _prompt(console)


def _obeys(client: ChatClient, console: Console, conversation_id: str, line: str, sent: list[str]) -> bool:
    """Do what a line says; True where it ends the chat."""
    if line == "/back":
        client.hand_back(conversation_id)
        console.print(Text("✓ Handed back: the agent drafts again, and its drafts are checked."))
        return True
    if line == "/quit":
        _leave(console)
        return True
    if line.startswith("/"):
        console.print(
            shown(f"There is no {line.split(maxsplit=1)[0]} (only /back and /quit); nothing was sent.", "bold yellow")
        )
    elif line:
        client.say(conversation_id, line)
        sent.append(line)
    return False


def _leave(console: Console) -> None:
    console.print(Text("The conversation stays with you: the agent writes nothing in it until it is handed back."))


def _prompt(console: Console) -> None:
    console.print(Text("you> ", style="bold"), end="")
