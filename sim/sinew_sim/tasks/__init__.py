"""The tasks, one file each: `pick_place` is the class `PickPlace` of `sinew_sim.tasks.pick_place`."""
