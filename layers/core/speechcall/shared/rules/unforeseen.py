"""Errors that nobody foresaw."""


def told(error: BaseException) -> str:
    """An error that nobody foresaw, for the log: its kind and its place. Its text may hold a customer's secrets."""
    last = error.__traceback__
    while last and last.tb_next:
        last = last.tb_next
    return (
        f"{type(error).__name__} at {last.tb_frame.f_code.co_name}:{last.tb_lineno}" if last else type(error).__name__
    )
