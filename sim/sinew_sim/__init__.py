"""Simulated stations, the tasks that both simulators share, and a gymnasium environment over them."""
