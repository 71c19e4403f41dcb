"""How well customers are answered: counts of the store, made into figures with intervals. It decides nothing."""
