"""Result files of other runners, read as trials; what they mean for a gate is decided elsewhere."""
