"""Learners of rewards, one file each: `fit(episodes, feedback)` returns what scores an episode's steps."""
