"""`speechcall stack …`: what is done with a whole stack: removing it, and restoring its tables."""
