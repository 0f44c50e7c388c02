"""The report card of a learned reward: how far it can be trusted, in numbers, and whether that will do."""
