"""A question of DNS and its answer. Imported where there is one alone: dnspython costs 90 ms and 14 MiB."""

from collections.abc import Sequence

from dns import exception, message, rcode, rdata, rdataclass, rdatatype
from dns import name as names


class Question:
    """Which records of which name are asked for, and which are expected."""

    def __init__(self, name: str, record_type: str, answer: Sequence[str]) -> None:
        """Understand the texts of a configuration.

        Raises:
            ValueError: one of them is no name, or no record of this type.
        """
        try:
            self._name = names.from_text(name)
        except exception.DNSException as error:
            raise ValueError(f"name {name!r} is no name of DNS: {error}") from error
        self._type = rdatatype.from_text(record_type)
        self._answer: list[rdata.Rdata] = []
        for text in answer:
            try:
                record = rdata.from_text(rdataclass.IN, self._type, text, names.root, relativize=False)
            except (exception.DNSException, ValueError) as error:
                raise ValueError(f"answer {text!r} is no {record_type} record: {error}") from error
            self._answer.append(record)

    def query(self) -> tuple[int, bytes]:
        """Return the number and the bytes of a new question; recursion is desired (C33)."""
        asked = message.make_query(self._name, self._type, use_edns=False)
        return asked.id, asked.to_wire()

    def read(self, data: bytes) -> tuple[str, list[str], list[str]]:
        """Return how an answer ends, which records of the type it has, and which of those expected it has not.

        Raises:
            ValueError: it is no message of DNS.
        """
        try:
            answer = message.from_wire(data, ignore_trailing=True)
        except (exception.DNSException, ValueError) as error:
            raise ValueError(f"{type(error).__name__}: {error}".rstrip(": ")) from error
        found = [record for each in answer.answer if each.rdtype == self._type for record in each]
        missing = [record.to_text() for record in self._answer if record not in found]
        return rcode.to_text(answer.rcode()), [record.to_text() for record in found], missing
