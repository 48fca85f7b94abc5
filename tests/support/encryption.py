"""The encryption key of the tests. Every process that a test starts has it."""

from typing import Final

KEY: Final = "dGhlLWtleS1vZi10aGUtdGVzdHMtaXMtbm8tc2VjcmU="

OTHER_KEY: Final = "YW5vdGhlci1rZXktb2YtdGhlLXRlc3RzLW5vLXNlY3I="
