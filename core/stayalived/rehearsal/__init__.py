"""What a start or a reload would do, found out by letting the engines themselves do it to copies of what there is."""
