"""Unforeseen errors."""


def told(error: BaseException) -> str:
    """An unforeseen error, for the log: its kind, what AWS calls it, its place. Its text may hold secrets."""
    last = error.__traceback__
    while last and last.tb_next:
        last = last.tb_next
    answer = getattr(error, "response", None)  # of botocore's ClientError
    code = answer.get("Error", {}).get("Code") if isinstance(answer, dict) else None
    kind = f"{type(error).__name__} {code}" if isinstance(code, str) else type(error).__name__
    return f"{kind} at {last.tb_frame.f_code.co_name}:{last.tb_lineno}" if last else kind
