"""Programs for developers: the demonstration, the API's description, fuzzing, `sam local invoke`."""
