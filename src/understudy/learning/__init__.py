"""What reviewers' verdicts teach: calibrators, certificates, audits, demotions."""
