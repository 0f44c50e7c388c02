"""Reward models, one file each: observations in, reward estimates with named terms out."""
