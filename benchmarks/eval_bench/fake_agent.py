"""An OpenAI-compatible agent that takes 50 ms and answers what the case wants to hear; a process of its own.

Run as a program it prints its port, and serves until it is killed.
"""

from __future__ import annotations

import asyncio
import sys

from aiohttp import web

TAKES_S = 0.05
ANSWER = "Your order number {} arrives within 2 working days."
asked = {"times": 0}


async def complete(request: web.Request) -> web.Response:
    asked["times"] += 1
    body = await request.json()
    question = body["messages"][-1]["content"]
    if isinstance(question, list):
        question = "".join(part.get("text", "") for part in question)
    await asyncio.sleep(TAKES_S)
    number = question.split("A-")[-1].split("?")[0]
    message = {"role": "assistant", "content": ANSWER.format(f"A-{number}")}
    usage = {"prompt_tokens": 20, "completion_tokens": 10, "total_tokens": 30}
    choice = {"index": 0, "message": message, "finish_reason": "stop", "logprobs": None}
    return web.json_response(
        {
            "id": f"c-{asked['times']}",
            "object": "chat.completion",
            "created": 1,
            "model": "fake",
            "choices": [choice],
            "usage": usage,
        }
    )


async def count(_: web.Request) -> web.Response:
    return web.json_response({"asked": asked["times"]})


async def main() -> None:
    app = web.Application(client_max_size=10**7)
    app.router.add_post("/v1/chat/completions", complete)
    app.router.add_get("/asked", count)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0, backlog=1024)
    await site.start()
    port = runner.addresses[0][1]
    sys.stdout.write(f"{port}\n")
    sys.stdout.flush()
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main())
