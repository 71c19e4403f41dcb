"""What is misconfigured, unreachable or risky, and how to mend it, as results; printing and answering are for faces."""
