// Constants in memories, blocks of vectors, and the search in a table: what all layers share.
#ifndef ERNN_BLOCKS_H
#define ERNN_BLOCKS_H

#include "ap_int.h"

#include <type_traits>

namespace blocks {

// A constant in a memory: in synthesis as narrow as it is, in simulation a plain integer, since compilers take minutes
// to initialise many thousands of objects.
template <int BITS> struct stored {
#ifdef __SYNTHESIS__
    typedef ap_int<BITS> type;
#else
    typedef typename std::conditional<
        (BITS <= 8), signed char,
        typename std::conditional<
            (BITS <= 16), short, typename std::conditional<(BITS <= 32), int, long long>::type>::type>::type type;
#endif
};

// N elements, converted.
template <int N, class A, class B> void copy(const A from[N], B to[N]) {
#pragma HLS INLINE
    for (int n = 0; n < N; n++) {
#pragma HLS UNROLL
        to[n] = from[n];
    }
}

// Block `place` of K elements of a vector of SIZE; zeros behind its end.
template <int K, int SIZE, class A, class B> void gather(const A vector[SIZE], const int place, B block[K]) {
#pragma HLS INLINE
    for (int n = 0; n < K; n++) {
#pragma HLS UNROLL
        const int element = place * K + n;
        block[n] = element < SIZE ? B(vector[element]) : B(0);
    }
}

// The reverse; what lies behind the end of the vector is dropped.
template <int K, int SIZE, class A, class B> void scatter(const A block[K], const int place, B vector[SIZE]) {
#pragma HLS INLINE
    for (int n = 0; n < K; n++) {
#pragma HLS UNROLL
        const int element = place * K + n;
        if (element < SIZE)
            vector[element] = block[n];
    }
}

// Sums of G gates, N each, before the first product.
template <int G, int N, class A> void zero(A sums[G][N]) {
#pragma HLS INLINE
    for (int gate = 0; gate < G; gate++) {
#pragma HLS UNROLL
        for (int n = 0; n < N; n++) {
#pragma HLS UNROLL
            sums[gate][n] = 0;
        }
    }
}

// A vector of zeros, element by element.
template <int SIZE, class A> void clear(A vector[SIZE]) {
#pragma HLS INLINE
    for (int n = 0; n < SIZE; n++) {
#pragma HLS PIPELINE II=1
        vector[n] = 0;
    }
}

} // namespace blocks

#endif
