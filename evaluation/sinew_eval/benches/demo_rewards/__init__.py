"""Rewards learnt by looking at a handful of demonstrations, measured on episodes that they have not seen."""
