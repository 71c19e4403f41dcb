"""Real processes that are killed, started again and watched at the sink. It measures no speed but that of coming back."""
