"""How late the page is: from an event's handing out by the stream until a browser shows its count."""
