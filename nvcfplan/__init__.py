"""nvcfplan: declarative, capacity-safe deployment plans for NVIDIA Cloud Functions.

The public names below are resolved on demand, so that importing the package loads no library.
"""

from __future__ import annotations

__version__ = "0.1.0"
__all__ = ["__version__"]
