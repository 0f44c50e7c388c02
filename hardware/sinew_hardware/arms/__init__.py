"""One file an arm driver, each an `Arm`; what the servo buses share is in `servo_arm`."""
