#!/usr/bin/python3
"""What FAISS takes for the dense part alone: IndexFlatIP over float32, k = 10, one thread.

    dense.py EMBEDDINGS.i8 QUERIES.i8 DIMENSION SECONDS

OpenBLAS takes its core type from the environment when it is loaded, so score.py starts this once for
each. Prints {"batch": pairs a second, "single": pairs a second, "core": the type it took}, by CPU time. The vectors are scaled to length 1,
so that the inner product is the cosine that a text want is about.
"""
import ctypes
import json
import sys
import time

import faiss
import numpy

TOP = 10


def read(path, dimension):
    vectors = numpy.fromfile(path, dtype=numpy.int8).reshape(-1, dimension).astype(numpy.float32)
    lengths = numpy.linalg.norm(vectors, axis=1, keepdims=True)
    return numpy.ascontiguousarray(vectors / numpy.maximum(lengths, 1))


def core_type():
    """What OpenBLAS made of the type asked for: it takes another where it doesn't know that one."""
    name = getattr(ctypes.CDLL("libblas.so.3"), "openblas_get_corename", None)
    if name is None:
        return "not OpenBLAS"
    name.restype = ctypes.c_char_p
    return name().decode()


def pairs_a_second(index, queries, seconds, size):
    """The best of the rounds that fit the time, two at least; the first warms up."""
    best, begun, rounds = 0.0, time.monotonic(), 0
    while rounds < 2 or time.monotonic() - begun < seconds:
        at = rounds * size % max(1, len(queries) - size + 1)
        before = time.process_time()
        index.search(queries[at:at + size], TOP)
        took = time.process_time() - before
        if rounds > 0:
            best = max(best, min(size, len(queries)) * index.ntotal / max(took, 1e-9))
        rounds += 1
    return best


def main():
    embeddings, queries, dimension, seconds = sys.argv[1:]
    faiss.omp_set_num_threads(1)
    index = faiss.IndexFlatIP(int(dimension))
    index.add(read(embeddings, int(dimension)))
    asked = read(queries, int(dimension))
    print(json.dumps({"batch": pairs_a_second(index, asked, float(seconds), len(asked)),
                      "single": pairs_a_second(index, asked, float(seconds), 1),
                      "core": core_type()}))


if __name__ == "__main__":
    main()
