"""Calibrations: each a function of measurements that tells its own error, and a guided command."""
