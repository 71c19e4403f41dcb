"""People decide: claims, verdicts, conversations taken over, deadlines. What a verdict teaches is not learned here."""
