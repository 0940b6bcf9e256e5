"""The checked parts of a request, as pydantic's core leaves them."""


class Checked:
    """An object of a request, with the members of its model. pydantic's core sets these four, as on its own models."""

    __slots__ = ("__dict__", "__pydantic_extra__", "__pydantic_fields_set__", "__pydantic_private__")

    __pydantic_fields_set__: set[str]

    @property
    def model_fields_set(self) -> set[str]:
        """The members that were given."""
        return self.__pydantic_fields_set__
