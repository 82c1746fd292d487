"""
How fast, how right and how large the search of a map is.

Times are CPU times of one thread, which a busy machine changes least; wall times are beside them.
All of a table comes from one run.

    python benchmarks/search.py                        # 5,000 places, seconds
    python benchmarks/search.py growth --most 100000   # 1,000 places and more, minutes
    python benchmarks/search.py million                # one million places, half an hour
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
import json
from pathlib import Path
import resource
import subprocess
import sys
import tempfile
import time

import faiss
from husky_placerec.descriptor.spec import DescriptorSpec
from husky_placerec.placemap.best_similarities import best_similarities
from husky_placerec.placemap.index_plan import choose_index, INDEX_KINDS
from husky_placerec.placemap.loading import load_map
from husky_placerec.placemap.manifest import read_manifest
from husky_placerec.placemap.place_map import PlaceMap
from husky_placerec.placemap.places import Places
from husky_placerec.placemap.storage import save_map
from husky_placerec.types import SECOND_NS
import numpy as np
from rich.console import Console
from rich.table import Table
from scipy.spatial import cKDTree
from synthetic_places import make_town

CAMERAS = ('front', 'back')
SAME = 1e-5
QUERIES = 200
console = Console(width=110)


def town_map(count: int, size: int, reversed_drives: int = 1) -> tuple[PlaceMap, np.ndarray]:
    """Make a map and the queries of another drive, [M, 2, size]."""
    town = make_town(count, size, QUERIES, reversed_drives=reversed_drives)
    poses = np.zeros((count, 7))
    poses[:, 0], poses[:, 1] = 5.0 * (np.arange(count) % 1000), 5.0 * (np.arange(count) // 1000)
    poses[:, 6] = 1
    stamps = np.arange(count, dtype=np.int64) * SECOND_NS
    places = Places(stamps, poses, ('town',) * count, np.ones((count, 2), bool))
    spec = DescriptorSpec(CAMERAS, 'synthetic', size=size)
    return PlaceMap(places, town.descriptors, spec, 'map', (1, 0), {}, ''), town.queries


def timed(
    ask: Callable[[np.ndarray], object], queries: Sequence[np.ndarray]
) -> tuple[float, float]:
    """Return the median CPU and wall times of a query, in ms."""
    spent = []
    for query in queries:
        cpu, wall = time.thread_time(), time.perf_counter()
        ask(query)
        spent.append((time.thread_time() - cpu, time.perf_counter() - wall))
    cpu_ms, wall_ms = 1000 * np.median(spent, axis=0)
    return float(cpu_ms), float(wall_ms)


def by_kind(place_map: PlaceMap, queries: np.ndarray) -> dict[str, dict[str, float]]:
    """Return for each kind of query recall@1 against exact, and the times of a query."""
    index = place_map.index.searching(place_map.views)
    nothing = np.full(len(queries), -1)
    best = best_similarities(place_map.views, queries, place_map.kinds, nothing)
    found = {}
    for kind, expected in zip(place_map.kinds, best):
        asked = queries * kind.there[None, :, None]

        def ask(query: np.ndarray, kind=kind) -> float:
            return float(index.compare(query).similarities(kind.partners).max())

        cpu_ms, wall_ms = timed(ask, asked)
        right = np.array([ask(query) for query in asked]) >= expected - SAME
        found[kind.name] = {'recall': float(right.mean()), 'cpu_ms': cpu_ms, 'wall_ms': wall_ms}
    return found


def kinds_table(title: str, found: dict[str, dict[str, float]]) -> Table:
    table = Table(title=title, title_justify='left')
    for column in ('query', 'recall@1', 'CPU ms', 'wall ms'):
        table.add_column(column, justify='left' if column == 'query' else 'right')
    for kind, n in found.items():
        table.add_row(kind, f'{n["recall"]:.3f}', f'{n["cpu_ms"]:.2f}', f'{n["wall_ms"]:.2f}')
    return table


def small(count: int = 5000, size: int = 768) -> None:
    """Compare with a KD-tree, and four kinds of query with one."""
    place_map, queries = town_map(count, size)
    fused = np.asarray(place_map.descriptors, np.float32).reshape(count, -1)
    tree, flat = cKDTree(fused), faiss.IndexFlatIP(2 * size)
    faiss.omp_set_num_threads(1)
    flat.add(fused)
    queries = queries[:100]
    rows = {'scipy cKDTree, forwards only': lambda q: tree.query(q.reshape(-1))}
    rows['faiss Flat, forwards only'] = lambda q: flat.search(q.reshape(1, -1), 10)
    rows['faiss Flat, four queries one by one'] = lambda q: [
        flat.search(p.reshape(1, -1), 10) for p in four(q)
    ]
    for kind in INDEX_KINDS:
        made = place_map.indexed(kind)
        made.prepare()
        rows[f'{kind}: forwards'] = lambda q, m=made: m.search(q, 10, both_ways=False)
        rows[f'{kind}: both ways'] = lambda q, m=made: m.search(q, 10, both_ways=True)
        rows[f'{kind}: all four kinds'] = lambda q, m=made: m.search_each(q, 10)
    times = {name: timed(ask, queries) for name, ask in rows.items()}
    base = times['scipy cKDTree, forwards only'][0]
    table = Table(title=f'{count} places, fused size {2 * size}', title_justify='left')
    for column in ('', 'CPU ms', 'wall ms', 'ratio to cKDTree', 'ratio to one'):
        table.add_column(column, justify='right' if column else 'left')
    for name, (cpu_ms, wall_ms) in times.items():
        one = times.get(f'{name.split(":")[0]}: forwards')
        ratio = f'{cpu_ms / one[0]:.2f}' if one else ''
        table.add_row(name, f'{cpu_ms:.2f}', f'{wall_ms:.2f}', f'{cpu_ms / base:.3f}', ratio)
    console.print(table)


def four(query: np.ndarray) -> list[np.ndarray]:
    front, back = query * [[1], [0]], query * [[0], [1]]
    return [np.asarray(q, np.float32) for q in (query, query[::-1].copy(), front, back)]


def growth(most: int, size: int, plot: Path | None, stored: Path | None) -> None:
    """
    Grow a map tenfold by tenfold, by the index that its size gets and by each other.

    :param stored: a map that `million` kept, as the last step.
    """
    found: dict[str, list[tuple[int, float]]] = {}
    table = Table(title=f'Growth, fused size {2 * size}; * is chosen', title_justify='left')
    for column in ('places', 'index', 'build CPU s', 'worst recall@1', 'CPU ms', 'wall ms'):
        table.add_column(column, justify='right')
    for count in (n for n in (1000, 10_000, 100_000) if n <= most):
        plain, queries = town_map(count, size)
        chosen = choose_index(count, 2, size).kind
        for kind in INDEX_KINDS:
            began = time.process_time()
            made = plain.indexed(kind)
            built_s = f'{time.process_time() - began:.1f}'
            row = _grown(made, queries, found)
            table.add_row(f'{count}', kind + ('*' if kind == chosen else ''), built_s, *row)
    if stored:
        made = load_map(stored)
        row = _grown(made, np.load(stored.with_suffix('.npy')), found)
        table.add_row(f'{len(made)}', f'{made.index.plan.kind}*', '', *row)
    console.print(table)
    if plot:
        draw(found, size, plot)


def _grown(
    made: PlaceMap, queries: np.ndarray, found: dict[str, list[tuple[int, float]]]
) -> list[str]:
    numbers = by_kind(made, queries).values()
    worst = min(n['recall'] for n in numbers)
    cpu_ms, wall_ms = (max(n[key] for n in numbers) for key in ('cpu_ms', 'wall_ms'))
    found.setdefault(made.index.plan.kind, []).append((len(made), cpu_ms))
    return [f'{worst:.3f}', f'{cpu_ms:.2f}', f'{wall_ms:.2f}']


def draw(found: dict[str, list[tuple[int, float]]], size: int, path: Path) -> None:
    """Plot the time of a query over the size of the map."""
    import matplotlib

    matplotlib.use('Agg')
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(figsize=(7, 4), dpi=110)
    for kind, points in found.items():
        counts, times = zip(*points)
        axes.plot(counts, times, marker='o', label=kind)
    axes.axhline(5, color='grey', linestyle=':', label='budget')
    axes.set(xscale='log', yscale='log', xlabel='places', ylabel='CPU ms a query, one thread')
    axes.set_title(f'Two cameras, fused size {2 * size}; the slowest kind of query')
    axes.grid(which='both', alpha=0.2)
    axes.legend()
    figure.tight_layout()
    figure.savefig(path)


def million(count: int, size: int, reversed_drives: int, folder: Path) -> None:
    """Build, store, start and ask a large map."""
    place_map, queries = town_map(count, size, reversed_drives)
    cpu, wall = time.process_time(), time.perf_counter()
    made = place_map.indexed()
    built = time.process_time() - cpu, time.perf_counter() - wall
    say(f'{count} places, fused size {2 * size}, {reversed_drives} of 5 drives the other way')
    say(f'{made.index.plan}')
    say('index built and measured in {:.0f} s CPU, {:.0f} s wall'.format(*built))
    say(f'stored in map.json: {made.index.report}')
    path = folder / f'town-{count}-{size}-{reversed_drives}.map'
    wall = time.perf_counter()
    save_map(made, path, overwrite=True)
    say(f'saved in {time.perf_counter() - wall:.0f} s wall')
    np.save(path.with_suffix('.npy'), queries)
    del made, place_map
    started(path)


def started(path: Path) -> None:
    """Start on a stored map in a process of its own, and ask it."""
    command = [sys.executable, __file__, 'ask', '--folder', str(path)]
    answer = subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout
    n = json.loads(answer)
    names = (entry['name'] for entry in read_manifest(path)['files'].values())
    sizes = {name.split('-')[0]: (path / name).stat().st_size for name in names}
    stored = (sizes['descriptors'] + sizes.get('index', 0)) / 1e6
    say(
        f'start: {n["cpu_s"]:.1f} s CPU, {n["wall_s"]:.1f} s wall; '
        f'before it the process had {n["empty_mb"]:.0f} MB'
    )
    say(
        f'memory after the queries {n["mb"]:.0f} MB, most {n["peak_mb"]:.0f} MB: '
        f'{n["peak_mb"] / stored:.2f} of index and descriptors ({stored:.0f} MB)'
    )
    console.print(kinds_table(f'{path.name}: {n["index"]}', n['kinds']))


def ask(path: Path) -> None:
    """Print as JSON what a process sees that starts on a map."""
    empty = memory_mb()
    cpu, wall = time.process_time(), time.perf_counter()
    place_map = load_map(path)
    place_map.prepare()
    n = {'cpu_s': time.process_time() - cpu, 'wall_s': time.perf_counter() - wall}
    queries = np.load(path.with_suffix('.npy'))
    index = place_map.index.searching(place_map.views)
    for query in queries:
        for kind in place_map.kinds:
            index.compare(query * kind.there[:, None])
    n.update(mb=memory_mb(), peak_mb=peak_mb())
    n.update(empty_mb=empty, index=str(place_map.index.plan), kinds=by_kind(place_map, queries))
    print(json.dumps(n))


def memory_mb() -> float:
    """Return what the process holds now, with the pages of mapped files that it has touched."""
    pages = int(Path('/proc/self/statm').read_text().split()[1])
    return pages * resource.getpagesize() / 1e6


def peak_mb() -> float:
    """Return the most that the process ever held; not that of its parent, as getrusage does."""
    status = Path('/proc/self/status').read_text()
    return int(status.split('VmHWM:')[1].split()[0]) * 1024 / 1e6


def peer(count: int, size: int) -> None:
    """Build the same map with usearch, of both cameras as one vector, as its users would."""
    from usearch.index import Index

    place_map, queries = town_map(count, size)
    fused = np.asarray(place_map.descriptors).reshape(count, -1)
    before, cpu, wall = memory_mb(), time.process_time(), time.perf_counter()
    index = Index(ndim=2 * size, metric='ip', dtype='i8')
    for first in range(0, count, 20_000):
        part = fused[first : first + 20_000].astype(np.float32)
        part /= np.linalg.norm(part, axis=1, keepdims=True)
        index.add(np.arange(first, first + len(part)), part, threads=1)
    say(
        f'usearch HNSW i8, {count} places: built in {time.process_time() - cpu:.0f} s CPU, '
        f'{time.perf_counter() - wall:.0f} s wall; {memory_mb() - before:.0f} MB'
    )
    nothing = np.full(len(queries), -1)
    best = best_similarities(place_map.views, queries, place_map.kinds, nothing)
    found = {}
    for kind, expected in zip(place_map.kinds, best):
        asked = queries * kind.there[None, :, None]
        if kind.name == 'reversed':
            asked = asked[:, ::-1]
        asked = np.ascontiguousarray(asked.reshape(len(asked), -1), np.float32)
        asked /= np.linalg.norm(asked, axis=1, keepdims=True)
        cpu_ms, wall_ms = timed(lambda q: index.search(q, 10, threads=1), asked)
        right = []
        for query, top in zip(asked, expected):
            keys = index.search(query, 10, threads=1).keys
            exact = fused[keys].astype(np.float32) @ query * np.sqrt(sum(kind.cameras))
            right.append(exact.max() / sum(kind.cameras) >= top - SAME)
        found[kind.name] = {'recall': np.mean(right), 'cpu_ms': cpu_ms, 'wall_ms': wall_ms}
    console.print(kinds_table('usearch on both cameras as one vector, the best of its 10', found))


def say(text: str) -> None:
    console.print(text, highlight=False, soft_wrap=True)
    sys.stdout.flush()


def main() -> None:
    """Run one benchmark."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        'what', nargs='?', default='small', choices=['small', 'growth', 'million', 'ask', 'peer']
    )
    parser.add_argument('--places', type=int, default=1_000_000, help='of million and peer')
    parser.add_argument('--size', type=int, default=256, help='numbers a camera')
    parser.add_argument('--reversed-drives', type=int, default=1, help='of five')
    parser.add_argument('--most', type=int, default=100_000, help='places of growth')
    parser.add_argument('--plot', type=Path, help='picture of growth')
    parser.add_argument(
        '--folder', type=Path, help='where million keeps its map; the map that growth ends with'
    )
    args = parser.parse_args()
    if args.what == 'small':
        small()
    elif args.what == 'growth':
        growth(args.most, args.size, args.plot, args.folder)
    elif args.what == 'peer':
        peer(args.places, args.size)
    elif args.what == 'ask':
        ask(args.folder)
    else:
        with tempfile.TemporaryDirectory() as temporary:
            million(args.places, args.size, args.reversed_drives, args.folder or Path(temporary))


if __name__ == '__main__':
    main()
