"""
Checks of a faiss index that may come from someone else.

faiss believes the numbers in a file: a link or an identity out of range is an access out of the
memory of the process when the index is searched. So the kind of the index is checked before faiss
reads it, and all sizes, links and identities before it is searched.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import faiss
from husky_placerec.errors import InputError
from husky_placerec.placemap.index_plan import (
    HNSW,
    IndexPlan,
    IVF_PLACES,
    IVF_SQ8,
    LEAST_BREADTH,
    SQ8,
)
import numpy as np
from numpy.typing import NDArray

# The first four bytes of the file, by which faiss chooses what it reads.
KINDS = {SQ8: b'IxSQ', HNSW: b'IHNs', IVF_SQ8: b'IwSq', IVF_PLACES: b'IwPQ'}


def read_index(
    file: Path, plan: IndexPlan, rows: int, size: int, path: Path, *, mapped: bool
) -> faiss.Index:
    """
    Read the index of a map and check it.

    :param file: its name in errors; it is read by `path`.
    :param rows: how many it shall have, views or places, and `size` their length.
    :param mapped: the lists of an IVF stay on the disk until they are searched.
    :raises InputError: for another index than the plan's, and for numbers out of range.
    """
    with path.open('rb') as data:
        found, expected = data.read(4), KINDS[plan.kind]
    if found != expected:
        raise InputError(f'{file}: begins with {found!r}; expected {expected!r} for {plan.kind}')
    flags = faiss.IO_FLAG_MMAP if plan.kind == IVF_SQ8 and mapped else 0
    try:
        with _no_vector_over(file.stat().st_size):
            index: Any = faiss.read_index(str(path), flags | faiss.IO_FLAG_READ_ONLY)
    except (RuntimeError, MemoryError) as error:
        raise InputError(f'{file}: faiss cannot read it ({error})') from error
    if (index.ntotal, index.d) != (rows, size):
        what = 'places' if plan.kind == IVF_PLACES else 'views'
        raise InputError(
            f'{file}: {index.ntotal} {what} of size {index.d}; expected {rows} of {size}'
        )
    try:
        _check(index, plan, path)
    except ValueError as error:
        raise InputError(f'{file}: {error}') from error
    return index


@contextmanager
def _no_vector_over(most_bytes: int) -> Iterator[None]:
    """No vector in a file is larger than the file; a faiss before 1.14 has no such limit."""
    if not hasattr(faiss, 'set_deserialization_vector_byte_limit'):
        yield
        return
    before = faiss.get_deserialization_vector_byte_limit()
    faiss.set_deserialization_vector_byte_limit(most_bytes)
    try:
        yield
    finally:
        faiss.set_deserialization_vector_byte_limit(before)


def _check(index: Any, plan: IndexPlan, file: Path) -> None:
    widest = 2 * max(index.ntotal, plan.lists, LEAST_BREADTH)
    if plan.shortlist < 1 or plan.breadth > widest:
        raise ValueError(
            f'map.json has shortlist {plan.shortlist} and breadth {plan.breadth}; expected 1 or '
            f'more, and at most {widest}'
        )
    if index.metric_type != faiss.METRIC_INNER_PRODUCT or not index.is_trained:
        raise ValueError('expected a trained index for the inner product')
    if plan.kind == SQ8:
        _check_codes(index)
    elif plan.kind == HNSW:
        _check_codes(faiss.downcast_index(index.storage), index)
        _check_graph(index.hnsw, index.ntotal)
    else:
        _check_lists(index, plan, file)


def _check_codes(codes: Any, index: Any = None) -> None:
    """Check the vectors of an index, of one byte a number."""
    whole = codes if index is None else index
    if not isinstance(codes, faiss.IndexScalarQuantizer) or (codes.ntotal, codes.d) != (
        whole.ntotal,
        whole.d,
    ):
        raise ValueError('expected vectors of one byte a number, as many as there are views')
    _check_quantizer(codes.sq, codes.d)
    if codes.codes.size() != codes.ntotal * codes.sq.code_size:
        raise ValueError(
            f'{codes.codes.size()} bytes of vectors; expected {codes.ntotal * codes.d}'
        )


def _check_quantizer(quantizer: Any, size: int) -> None:
    trained = faiss.vector_to_array(quantizer.trained)
    if (quantizer.qtype, quantizer.d, quantizer.code_size, trained.shape) != (
        faiss.ScalarQuantizer.QT_8bit,
        size,
        size,
        (2 * size,),
    ):
        raise ValueError('expected vectors of one byte a number')
    if not np.isfinite(trained).all():
        raise ValueError('the range of the numbers is not finite')


def _check_products(index: Any) -> None:
    """Check the quantizer of an index of products of 4 bits."""
    products = index.pq
    count = products.M
    if not 1 <= count <= index.d or (
        *(products.d, products.nbits, products.ksub, products.code_size, products.dsub * count),
        *(index.code_size, products.centroids.size()),
    ) != (index.d, 4, 16, (count + 1) // 2, index.d, (count + 1) // 2, 16 * index.d):
        raise ValueError('expected vectors of 4 bits a product')
    if not np.isfinite(faiss.vector_to_array(products.centroids)).all():
        raise ValueError('the centres of its products are not finite')


def _check_graph(hnsw: Any, count: int) -> None:
    """Check that each link of a graph leads to a node of its level."""
    levels = faiss.vector_to_array(hnsw.levels).astype(np.int64)
    starts = faiss.vector_to_array(hnsw.offsets).astype(np.int64)
    links = faiss.vector_to_array(hnsw.neighbors)
    widths = faiss.vector_to_array(hnsw.cum_nneighbor_per_level).astype(np.int64)
    good = (
        len(levels) == count
        and len(starts) == count + 1
        and len(widths) > 1
        and widths[0] == 0
        and (np.diff(widths) >= 0).all()
        and levels.min(initial=1) >= 1
        and levels.max(initial=1) < len(widths)
        and starts[0] == 0
        and (np.diff(starts) == widths[levels]).all()
        and starts[-1] == len(links)
        and links.min(initial=-1) >= -1
        and links.max(initial=-1) < count
        and 0 <= hnsw.entry_point < count
        and 0 <= hnsw.max_level < levels[hnsw.entry_point]
    )
    if not good or not all(
        _leads_to_level(level, levels, starts, links, widths)
        for level in range(1, int(levels.max(initial=1)))
    ):
        raise ValueError('a link of its graph leads out of range')


def _leads_to_level(
    level: int,
    levels: NDArray[np.int64],
    starts: NDArray[np.int64],
    links: NDArray[np.int32],
    widths: NDArray[np.int64],
) -> bool:
    nodes = np.flatnonzero(levels > level)
    slots = starts[nodes, None] + np.arange(widths[level], widths[level + 1])
    ends = links[slots]
    return bool((levels[ends[ends >= 0]] > level).all())


def _check_lists(index: Any, plan: IndexPlan, file: Path) -> None:
    """Check the clusters of an IVF and the identities of their views."""
    clusters, lists = faiss.downcast_index(index.quantizer), index.invlists
    if index.nlist != plan.lists or lists.nlist != plan.lists or clusters.ntotal != plan.lists:
        raise ValueError(f'{index.nlist} clusters; expected {plan.lists}')
    if not isinstance(clusters, faiss.IndexHNSWFlat) or clusters.d != index.d:
        raise ValueError('expected a graph of clusters')
    _check_graph(clusters.hnsw, clusters.ntotal)
    centres: Any = faiss.downcast_index(clusters.storage)
    if centres.codes.size() != 4 * clusters.ntotal * clusters.d:
        raise ValueError('expected the centres of the clusters')
    if plan.kind == IVF_PLACES:
        _check_products(index)
    else:
        _check_quantizer(index.sq, index.d)
    if lists.code_size != (index.pq.code_size if plan.kind == IVF_PLACES else index.d):
        raise ValueError(f'vectors of {lists.code_size} bytes; expected those of its quantizer')
    mapped = faiss.downcast_InvertedLists(lists)
    if isinstance(mapped, faiss.OnDiskInvertedLists) and mapped.filename not in ('', str(file)):
        raise ValueError(f'its lists are in {mapped.filename!r}; expected them in this file')
    total = 0
    for i in range(plan.lists):
        length = lists.list_size(i)
        total += length
        if total > index.ntotal:
            break
        if length:
            ids = faiss.rev_swig_ptr(lists.get_ids(i), length)
            if ids.min() < 0 or ids.max() >= index.ntotal:
                raise ValueError(f'row {ids.max()} of {index.ntotal} is out of range')
    if total != index.ntotal:
        raise ValueError(f'its clusters have over {total} rows; expected {index.ntotal}')
