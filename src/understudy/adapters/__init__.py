"""How the world is reached: each adapter keeps one port's promise; adapters carry and never judge."""
