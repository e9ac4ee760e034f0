#include "ops/support_fft.h"

static void bit_reverse(double *x, int64_t m)
{
	for (int64_t i = 1, j = 0; i < m; i++) {
		int64_t bit = m >> 1;
		for (; j & bit; bit >>= 1)
			j ^= bit;
		j ^= bit;
		if (i < j) {
			double re = x[2 * i], im = x[2 * i + 1];
			x[2 * i] = x[2 * j];
			x[2 * i + 1] = x[2 * j + 1];
			x[2 * j] = re;
			x[2 * j + 1] = im;
		}
	}
}

static void radix2(const double *turn, int64_t m, double *x, bool inverse)
{
	double sign = inverse ? -1 : 1;
	bit_reverse(x, m);
	for (int64_t half = 1; half < m; half *= 2) {
		int64_t step = m / (2 * half);
		for (int64_t base = 0; base < m; base += 2 * half)
			for (int64_t k = 0; k < half; k++) {
				double *a = x + 2 * (base + k), *b = a + 2 * half;
				double cr = turn[2 * k * step], ci = sign * turn[2 * k * step + 1];
				double re = b[0] * cr - b[1] * ci, im = b[0] * ci + b[1] * cr;
				b[0] = a[0] - re;
				b[1] = a[1] - im;
				a[0] += re;
				a[1] += im;
			}
	}
}

ovl_status ovl_fft_open(ovl_work *w, int64_t n, ovl_fft *out)
{
	ovl_fft f = {.n = n, .m = 1};
	if (n < 1 || n > (int64_t)1 << 40)
		return ovl_work_fail(w, OVL_E_ARGUMENT, "a signal of %lld entries cannot be transformed", (long long)n);
	while (f.m < n)
		f.m *= 2;
	if (f.m != n)
		while (f.m < 2 * n - 1)
			f.m *= 2;
	OVL_TRY(ovl_work_take(w, f.m + 2, sizeof(double), &f.turn));
	for (int64_t k = 0; k < f.m / 2; k++) {
		f.turn[2 * k] = cos(2 * M_PI * (double)k / (double)f.m);
		f.turn[2 * k + 1] = -sin(2 * M_PI * (double)k / (double)f.m);
	}
	if (f.m != n) {
		OVL_TRY(ovl_work_take(w, 2 * n, sizeof(double), &f.chirp));
		OVL_TRY(ovl_work_take(w, 2 * f.m, sizeof(double), &f.kernel));
		OVL_TRY(ovl_work_take(w, 2 * f.m, sizeof(double), &f.space));
		for (int64_t k = 0; k < n; k++) { /* exp(-i pi k^2 / n); the square is reduced first, for exactness */
			double angle = M_PI * (double)((__int128)k * k % (2 * n)) / (double)n;
			f.chirp[2 * k] = cos(angle);
			f.chirp[2 * k + 1] = -sin(angle);
			f.kernel[2 * k] = f.kernel[2 * ((f.m - k) % f.m)] = cos(angle);
			f.kernel[2 * k + 1] = f.kernel[2 * ((f.m - k) % f.m) + 1] = sin(angle);
		}
		radix2(f.turn, f.m, f.kernel, false);
	}
	*out = f;
	return OVL_OK;
}

static void multiply(double *a, const double *b, double scale)
{
	double re = (a[0] * b[0] - a[1] * b[1]) * scale;
	a[1] = (a[0] * b[1] + a[1] * b[0]) * scale;
	a[0] = re;
}

/* jk = (j^2 + k^2 - (k - j)^2) / 2 turns the transform into a convolution with a chirp. */
static void bluestein(const ovl_fft *f, double *x)
{
	memset(f->space, 0, (size_t)(2 * f->m) * sizeof *x);
	for (int64_t k = 0; k < f->n; k++) {
		f->space[2 * k] = x[2 * k];
		f->space[2 * k + 1] = x[2 * k + 1];
		multiply(f->space + 2 * k, f->chirp + 2 * k, 1);
	}
	radix2(f->turn, f->m, f->space, false);
	for (int64_t k = 0; k < f->m; k++)
		multiply(f->space + 2 * k, f->kernel + 2 * k, 1 / (double)f->m);
	radix2(f->turn, f->m, f->space, true);
	for (int64_t k = 0; k < f->n; k++) {
		x[2 * k] = f->space[2 * k];
		x[2 * k + 1] = f->space[2 * k + 1];
		multiply(x + 2 * k, f->chirp + 2 * k, 1);
	}
}

void ovl_fft_run(const ovl_fft *f, double *x, bool inverse)
{
	if (!f->chirp) {
		radix2(f->turn, f->m, x, inverse);
		return;
	}
	for (int64_t k = 0; inverse && k < f->n; k++)
		x[2 * k + 1] = -x[2 * k + 1];
	bluestein(f, x);
	for (int64_t k = 0; inverse && k < f->n; k++)
		x[2 * k + 1] = -x[2 * k + 1];
}
