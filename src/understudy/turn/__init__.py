"""One turn: intake, drafting, gathering, the pure assessment, commit. The order of steps lives here, no rule does."""
