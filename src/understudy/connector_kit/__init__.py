"""The connector kit: what goes wrong with channels in real life, played against one that is configured; nothing leaves this machine."""
