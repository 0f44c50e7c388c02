"""Emulated devices: they speak a real device's protocol, and their motors live in a physics engine.

Of the drivers only facts are shared (registers, which servo moves which joint): packets are read and made
here, so that a driver meets an independent reading of its protocol.
"""
