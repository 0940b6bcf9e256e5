"""How a provider invokes a function of ours."""

from collections.abc import Callable
from typing import Any

Invoker = Callable[[str, dict[str, Any]], Any]
