"""`sinew_ground`: an affordance model of our own, trained on our simulator; the only place of torch."""
