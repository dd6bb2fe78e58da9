"""Cyclic convolution in integers, without twiddle factors or rounding.

A block-circulant product is a cyclic convolution, a product of polynomials modulo x^k - 1. For k = 2^m that factors
over the integers,

    x^k - 1 = (x - 1) (x + 1) (x^2 + 1) (x^4 + 1) ... (x^(k/2) + 1),

so both polynomials are reduced modulo each factor, multiplied there, and put together again (Chinese remainders by
halves of sums and differences). Modulo x^n + 1 the product is Karatsuba's, three half products for four (Karatsuba and
Ofman 1962): 3^log2(n) multiplications. In all (3^m + 1)/2, so 2, 5, 14, 41, 122 for k = 2, 4, 8, 16, 32.

Everything but the products is linear, so one linear map (`factors`) makes the factors of the products from either
polynomial, products are summed over the columns of the matrix, and one other (`combine`) gives the rows of the sum.
"""

from collections.abc import Sequence
from typing import TypeVar

from ernn.dataflow.value import Value

V = TypeVar("V", bound=Value)


def multiplications(block_size: int) -> int:
    """Products of one block.

    >>> [multiplications(k) for k in (1, 2, 4, 8, 16, 32)]
    [1, 2, 5, 14, 41, 122]
    """
    return (3 ** (block_size.bit_length() - 1) + 1) // 2


def factors(block: Sequence[V]) -> list[V]:
    """The factors that a block of k values contributes to the products."""
    if len(block) == 1:
        return list(block)
    low, high = _halves(block)
    sums = [a + b for a, b in zip(low, high, strict=True)]  # modulo x^(k/2) - 1
    differences = [a - b for a, b in zip(low, high, strict=True)]  # modulo x^(k/2) + 1
    return factors(sums) + _evaluate(differences)


def combine(products: Sequence[V], block_size: int) -> list[V]:
    """The k values of a cyclic convolution from its products, or sums of them."""
    if block_size == 1:
        return list(products)
    half = block_size // 2
    cut = multiplications(half)
    of_sums, of_differences = combine(products[:cut], half), _negacyclic(products[cut:])
    pairs = list(zip(of_sums, of_differences, strict=True))
    return [(a + b).halved() for a, b in pairs] + [(a - b).halved() for a, b in pairs]


def _evaluate(polynomial: Sequence[V]) -> list[V]:
    """Karatsuba's evaluation points: lower half, upper half, their sum."""
    if len(polynomial) == 1:
        return list(polynomial)
    low, high = _halves(polynomial)
    middle = [a + b for a, b in zip(low, high, strict=True)]
    return _evaluate(low) + _evaluate(high) + _evaluate(middle)


def _interpolate(products: Sequence[V]) -> list[V]:
    """The 2n - 1 coefficients of a product from Karatsuba's 3^log2(n) products."""
    if len(products) == 1:
        return list(products)
    third = len(products) // 3
    low, high, middle = (_interpolate(products[start : start + third]) for start in (0, third, 2 * third))
    cross = [m - a - b for m, a, b in zip(middle, low, high, strict=True)]
    half = (len(low) + 1) // 2
    result: list[V | None] = [None] * (4 * half - 1)
    for shift, part in ((0, low), (2 * half, high), (half, cross)):
        for index, value in enumerate(part, start=shift):
            before = result[index]
            result[index] = value if before is None else before + value
    return [value for value in result if value is not None]


def _negacyclic(products: Sequence[V]) -> list[V]:
    """The n coefficients modulo x^n + 1."""
    product = _interpolate(products)
    n = (len(product) + 1) // 2
    return [product[i] - product[i + n] if i + n < len(product) else product[i] for i in range(n)]


def _halves(values: Sequence[V]) -> tuple[Sequence[V], Sequence[V]]:
    return values[: len(values) // 2], values[len(values) // 2 :]
