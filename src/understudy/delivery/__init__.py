"""Send what was decided: in order, under an idempotency key, never blindly twice. It decides no text."""
