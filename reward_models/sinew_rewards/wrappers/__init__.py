"""Rewards made of other rewards, one file each; every one is a reward model, so that they nest."""
