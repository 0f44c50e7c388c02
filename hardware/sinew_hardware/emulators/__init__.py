"""Emulated devices: they speak a real device's protocol, and their motors live in a physics engine.

Of the rest of sinew_hardware only the protocol's facts may be imported here, so that a driver is
tested against an independent reading of its protocol.
"""
