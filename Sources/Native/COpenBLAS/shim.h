#include <cblas.h>

// LAPACK's symmetric eigenproblem by divide and conquer; Debian's OpenBLAS ships no LAPACK header.
void dsyevd_(const char *job, const char *triangle, const int *n, double *a, const int *lda, double *w, double *work,
             const int *lwork, int *iwork, const int *liwork, int *info);
