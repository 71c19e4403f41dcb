"""Ways to talk to customers behind `ports/channel.py`; one module per kind of channel, and none of them judges."""
