"""What calls the functions when nobody asks them over HTTP: streams, queues, clocks and events."""
