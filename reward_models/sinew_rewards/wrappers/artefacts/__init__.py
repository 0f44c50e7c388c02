"""Scores of what may make a reward look good without reason, one file each, for `artefact_penalty`."""
