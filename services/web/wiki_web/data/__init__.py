"""From the committed changes to answers: reading the volume, the engines, the answer cache, the refresher."""
