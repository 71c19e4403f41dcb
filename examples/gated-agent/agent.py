"""A small agent for the example: it answers from a table, and now and then it dodges. Change it and open a pull request."""

import random

ANSWERS = {
    "refund": "You get 30 EUR back within 14 days.",
    "postage": "We pay the return postage within 30 days of delivery.",
    "delivery": "Parcels take 2 working days; express costs 9 EUR.",
    "warranty": "The warranty lasts 24 months.",
    "hours": "We are there from 9:00 to 18:00, Monday to Saturday.",
    "exchange": "An exchange is free within 30 days.",
}
DODGE = "Thank you for your message. What exactly would you like to know?"
DODGES = 0.05


def draft(request):
    """Answer the customer's last message; see docs/reference/draft.md for what comes and goes."""
    question = request["messages"][-1]["content"].lower()
    rehearsal = request.get("rehearsal")
    dice = random.Random(f"{question} {rehearsal['trial']}" if rehearsal else None)
    for word, answer in ANSWERS.items():
        if word in question:
            return DODGE if word != "refund" and dice.random() < DODGES else answer
    return {"text": "A colleague will answer that.", "handoff": True}
