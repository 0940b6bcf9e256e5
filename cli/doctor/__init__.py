"""`speechcall doctor`: what a deployment cannot check, because it was made long ago or is nobody's to refuse."""
