"""One `understudy.toml`, the environment on top, validated at start; read once and passed down as values."""
