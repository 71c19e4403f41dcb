"""Access tokens from those who give them out."""
