"""Who tells whether a name and a number belong together: an interface, and a client for one over HTTP."""
