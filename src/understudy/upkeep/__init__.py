"""What runs beside the turns: the sweeps that find what is due, whatever became of the hint for it."""
