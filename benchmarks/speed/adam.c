/* Adam as one writes it in C: one pass, float32, two threads. The inverse bias corrections come as doubles do. */
#include <math.h>

void adam(long n, float *restrict x, const float *restrict g, float *restrict m, float *restrict v, float lr,
          float beta1, float beta2, float eps, float correction1, float correction2) {
#pragma omp parallel for simd schedule(static)
  for (long i = 0; i < n; i++) {
    float gradient = g[i];
    float mean = m[i] + (1 - beta1) * (gradient - m[i]);
    float square = v[i] + (1 - beta2) * (gradient * gradient - v[i]);
    m[i] = mean;
    v[i] = square;
    x[i] -= lr * ((mean * correction1) / (sqrtf(square * correction2) + eps));
  }
}
