"""The same work as it is usually done: no resuming, files for ever, a query over all at each request."""
