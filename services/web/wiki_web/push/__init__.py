"""How viewers are told that there is something new: streams of events, held open without a thread each."""
