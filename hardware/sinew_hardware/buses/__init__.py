"""Servo buses: a serial port and the registers of the servos on it, through their makers' SDKs."""
