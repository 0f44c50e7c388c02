"""Policies, one file each: observations in, action chunks out."""
