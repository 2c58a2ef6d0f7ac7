/* Adam as one writes it in C: one pass, float32, two threads. rate1 is 1 - beta1, taken in double:
   1 - 0.999f is off by 5e-5. The corrections are the inverse ones. */
#include <math.h>

void adam(long n, float *restrict x, const float *restrict g, float *restrict m, float *restrict v, float lr,
          float rate1, float rate2, float eps, float correction1, float correction2) {
#pragma omp parallel for simd schedule(static)
  for (long i = 0; i < n; i++) {
    float gradient = g[i];
    float mean = m[i] + rate1 * (gradient - m[i]);
    float square = v[i] + rate2 * (gradient * gradient - v[i]);
    m[i] = mean;
    v[i] = square;
    x[i] -= lr * ((mean * correction1) / (sqrtf(square * correction2) + eps));
  }
}
