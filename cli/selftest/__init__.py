"""`speechcall selftest`: one call that rings no phone, through all that a real one goes through."""
