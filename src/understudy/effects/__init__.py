"""What a step may do to the tables, each with its ledger entry: queue a message, open a hold, hand over to a person.

Shared by the flows, which do not import each other. Nothing here decides whether it should be done.
"""
