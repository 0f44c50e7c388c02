"""What `sinew bench tracking` is made of: scenes, scripted events and how names are judged."""
