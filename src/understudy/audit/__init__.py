"""What auditors ask of the past: search, one turn's whole story, proofs, exports. It reads; all it writes is that somebody took something out."""
