"""The pure core: evidence × rulebook -> assessment. No I/O, no clock, no dice, so every decision replays exactly."""
