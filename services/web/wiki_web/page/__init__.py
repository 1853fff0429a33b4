"""What a browser shows: the pages' routes, models, templates and scripts."""
