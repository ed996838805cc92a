"""Two everyday jobs of computational science, in plain NumPy, SciPy, OpenCV and Matplotlib.

1. The Lotka-Volterra equations fitted to the Hudson's Bay Company's hare and lynx pelts, 1900-1920,
   with a parametric bootstrap for the uncertainties.
2. Edges of a photograph: which of them survive photon noise, and how the gradient falls with scale.

    python main_job.py [--out DIR] [--small]
"""

import argparse
import pathlib

import cv2
import matplotlib
import numpy as np
from scipy import ndimage
from scipy.integrate import solve_ivp
from scipy.optimize import curve_fit
from skimage import data

matplotlib.use("Agg")
import matplotlib.pyplot as plt

# Pelts collected, in thousands (Elton & Nicholson 1942; the table of Howard 2009 and the Stan case study).
YEARS = np.arange(1900, 1921)
HARE = np.array([30.0, 47.2, 70.2, 77.4, 36.3, 20.6, 18.1, 21.4, 22.0, 25.4, 27.1, 40.3, 57.0, 76.6, 52.3, 19.5,
                 11.2, 7.6, 14.6, 16.2, 24.7])  # fmt: skip
LYNX = np.array([4.0, 6.1, 9.8, 35.2, 59.4, 41.7, 19.0, 13.0, 8.3, 9.1, 7.4, 8.0, 12.3, 19.5, 45.7, 51.1, 29.7,
                 15.8, 9.7, 10.1, 8.6])  # fmt: skip
NAMES = ("alpha [1/yr]", "beta [1/(1000 lynx yr)]", "gamma [1/yr]", "delta [1/(1000 hares yr)]",
         "hares in 1900 [1000]", "lynx in 1900 [1000]")  # fmt: skip

BLUE, ORANGE, GRAY = "#2b6ca3", "#d1702b", "#5f6368"


# --- predator and prey ---------------------------------------------------------------------------


def lotka_volterra(t, z, alpha, beta, gamma, delta):
    hare, lynx = z
    return np.array([(alpha - beta * lynx) * hare, (delta * hare - gamma) * lynx])


def populations(years, log_parameters):
    """Hares and lynx (2, n) at the given years; the first is the initial time."""
    alpha, beta, gamma, delta, hare, lynx = np.exp(log_parameters)
    solution = solve_ivp(lotka_volterra, (years[0], years[-1]), [hare, lynx], t_eval=years,
                         args=(alpha, beta, gamma, delta), rtol=1e-7, atol=1e-7)  # fmt: skip
    return solution.y


def log_populations(years, *log_parameters):
    return np.log(populations(years, np.array(log_parameters))).ravel()


def fit_pelts(draws):
    observed = np.log(np.stack([HARE, LYNX])).ravel()
    times = YEARS - 1900.0
    start = np.log([0.5, 0.02, 0.9, 0.02, 30.0, 4.0])
    options = {"method": "lm", "ftol": 1e-10, "xtol": 1e-10}
    best, covariance = curve_fit(log_populations, times, observed, p0=start, **options)
    fitted = log_populations(times, *best)
    sigma = np.std(observed - fitted, ddof=best.size)

    rng = np.random.default_rng(1900)
    bootstrap = np.array([
        curve_fit(log_populations, times, fitted + sigma * rng.standard_normal(fitted.size), p0=best, **options)[0]
        for _ in range(draws)
    ])  # fmt: skip
    fine = np.linspace(0.0, 20.0, 401)
    curves = np.array([populations(fine, p) for p in bootstrap])
    return best, covariance, sigma, bootstrap, fine, curves


def report_pelts(best, covariance, sigma, bootstrap):
    print("Lotka-Volterra, hare and lynx 1900-1920")
    print(f"  {'parameter':28s} {'fit':>10s} {'+- (cov)':>10s} {'+- (boot)':>10s}")
    values = np.exp(best)
    for name, value, linear, draws in zip(NAMES, values, np.sqrt(np.diag(covariance)), bootstrap.T):
        print(f"  {name:28s} {value:10.5f} {value * linear:10.5f} {np.std(np.exp(draws), ddof=1):10.5f}")
    period = 2 * np.pi / np.sqrt(np.exp(bootstrap[:, 0] + bootstrap[:, 2]))
    print(f"  scatter of the data about the fit: {100 * sigma:.3f} %")
    print(f"  period near equilibrium: {np.median(period):.4f} yr "
          f"(90 % from {np.percentile(period, 5):.4f} to {np.percentile(period, 95):.4f})")  # fmt: skip


def plot_pelts(path, best, bootstrap, fine, curves):
    figure, (left, right) = plt.subplots(1, 2, figsize=(10.5, 4.2), width_ratios=(1.7, 1), layout="constrained")
    centre = populations(fine, best)
    for k, (label, points, colour) in enumerate([("snowshoe hare", HARE, BLUE), ("Canada lynx", LYNX, ORANGE)]):
        low, high = np.percentile(curves[:, k], (5, 95), axis=0)
        left.fill_between(1900 + fine, low, high, color=colour, alpha=0.2, lw=0)
        left.plot(1900 + fine, centre[k], color=colour, lw=1.8, label=f"{label}: fit, 90 % band")
        left.plot(YEARS, points, "o", color=colour, ms=5, mec="white", mew=0.8, label=f"{label}: pelts")
    left.set(xlabel="year", ylabel="population (thousands of pelts)", xlim=(1899.5, 1920.5), ylim=(0, None))
    left.xaxis.set_major_locator(matplotlib.ticker.MultipleLocator(4))
    left.legend(ncols=2, fontsize=8, loc="upper center", bbox_to_anchor=(0.5, 1.17), frameon=False)

    for curve in curves[:40]:
        right.plot(*curve, color=GRAY, lw=0.5, alpha=0.25)
    right.plot(*centre, color="black", lw=1.6, label="fit")
    points = right.scatter(HARE, LYNX, c=YEARS, cmap="viridis", s=26, zorder=3, edgecolor="white", linewidth=0.6)
    alpha, beta, gamma, delta = np.exp(best[:4])
    right.plot(gamma / delta, alpha / beta, "+", color="crimson", ms=11, mew=2, label="equilibrium")
    right.set(xlabel="hares (thousands)", ylabel="lynx (thousands)", xlim=(0, None), ylim=(0, None))
    right.legend(fontsize=8, loc="upper right", frameon=False)
    figure.colorbar(points, ax=right, label="year", ticks=[1900, 1905, 1910, 1915, 1920])
    for axis, letter in ((left, "a"), (right, "b")):
        axis.spines[["top", "right"]].set_visible(False)
        axis.set_title(letter, loc="left", fontweight="bold")
    figure.savefig(path, dpi=150)
    plt.close(figure)


# --- the photograph ------------------------------------------------------------------------------


def edge_strength(gray):
    """Sobel magnitude of a lightly smoothed 8-bit image, in gray levels per pixel."""
    smooth = cv2.GaussianBlur(gray, (5, 5), 1.2)
    dx = cv2.Sobel(smooth, cv2.CV_32F, 1, 0, ksize=3, scale=1 / 8)
    dy = cv2.Sobel(smooth, cv2.CV_32F, 0, 1, ksize=3, scale=1 / 8)
    return np.sqrt(dx * dx + dy * dy)


def noisy_frames(gray, electrons, draws):
    """The image as a camera sees it whose white pixel collects that many electrons: shot noise."""
    rng = np.random.default_rng(512)
    mean = gray * (electrons / 255)
    for _ in range(draws):
        yield np.clip(rng.poisson(mean) * (255 / electrons), 0, 255).astype(np.uint8)


def edge_probability(frames, level):
    """How often each pixel counts as an edge."""
    return np.mean([cv2.threshold(edge_strength(f), level, 1.0, cv2.THRESH_BINARY)[1] for f in frames], axis=0)


def scale_space(gray, sigmas):
    """Gradient magnitude (scales, rows, columns) in gray levels per pixel."""
    image = gray.astype(np.float64)
    magnitudes = []
    for sigma in sigmas:
        smooth = ndimage.gaussian_filter(image, sigma)
        magnitudes.append(np.hypot(ndimage.sobel(smooth, axis=0), ndimage.sobel(smooth, axis=1)) / 8)
    return np.array(magnitudes)


def study_photograph(size, draws, sigmas, level):
    colour = cv2.resize(data.astronaut(), (size, size), interpolation=cv2.INTER_LINEAR)
    gray = cv2.cvtColor(colour[..., ::-1].copy(), cv2.COLOR_BGR2GRAY)
    strength = edge_strength(gray)
    edges = cv2.threshold(strength, level, 1.0, cv2.THRESH_BINARY)[1]
    frames = list(noisy_frames(gray, 200.0, draws))
    probability = edge_probability(frames, level)
    magnitudes = scale_space(gray, sigmas)
    under_noise = np.array([scale_space(f, sigmas).mean(axis=(1, 2)) for f in frames[: draws // 4]])
    return colour, gray, strength, edges, probability, magnitudes, under_noise


def report_photograph(gray, strength, edges, probability, sigmas, magnitudes, under_noise):
    found = 100 * (probability[edges > 0] > 0.9).mean()
    print(f"Photograph, {gray.shape[1]} x {gray.shape[0]} pixels")
    print(f"  gray level: mean {gray.mean():.5f}, standard deviation {gray.std():.5f}")
    print(f"  edge strength: mean {strength.mean():.5f}, 99th percentile {np.percentile(strength, 99):.4f}")
    print(f"  edge pixels: {100 * edges.mean():.4f} %, of these {found:.4f} % are found under shot noise (p > 0.9)")
    print(f"  false alarms (mean probability off the edges): {100 * probability[edges == 0].mean():.4f} %")
    print(f"  {'sigma [px]':>12s} {'mean gradient':>14s} {'under noise':>12s} {'+-':>9s}  [gray levels/px]")
    clean, noisy, spread = magnitudes.mean(axis=(1, 2)), under_noise.mean(axis=0), under_noise.std(axis=0, ddof=1)
    for row in zip(sigmas, clean, noisy, spread):
        print("  {:12.2f} {:14.6f} {:12.6f} {:9.6f}".format(*row))
    print(f"  the mean gradient falls as sigma^{np.polyfit(np.log(sigmas), np.log(clean), 1)[0]:.5f}")


def plot_photograph(path, colour, edges, probability, sigmas, magnitudes, under_noise):
    figure, axes = plt.subplots(2, 3, figsize=(11, 6.9), layout="compressed")
    (photo, found, likely), (fine, coarse, law) = axes
    photo.imshow(colour)
    photo.set_title("a   photograph", loc="left")
    found.imshow(edges, cmap="gray_r", interpolation="nearest")
    found.set_title("b   edges", loc="left")
    bar = {"fraction": 0.046, "pad": 0.02}
    shown = likely.imshow(probability, cmap="magma", vmin=0, vmax=1)
    likely.set_title("c   edges under shot noise", loc="left")
    figure.colorbar(shown, ax=likely, label="fraction of frames", **bar)
    for axis, k, letter in ((fine, 0, "d"), (coarse, len(sigmas) // 2, "e")):
        shown = axis.imshow(magnitudes[k], cmap="inferno", vmin=0, vmax=np.percentile(magnitudes[k], 99.5))
        axis.set_title(rf"{letter}   gradient at $\sigma$ = {sigmas[k]:g} px", loc="left")
        figure.colorbar(shown, ax=axis, label="gray levels / px", **bar)
    for axis in axes.ravel()[:-1]:
        axis.set_axis_off()

    clean = magnitudes.mean(axis=(1, 2))
    law.loglog(sigmas, clean, "o-", color=BLUE, ms=6, mec="white", lw=1.4, label="photograph")
    law.errorbar(sigmas, under_noise.mean(axis=0), under_noise.std(axis=0, ddof=1), fmt="s--", color=ORANGE, ms=5,
                 mec="white", lw=1.4, label="under shot noise")  # fmt: skip
    law.set(xlabel=r"scale $\sigma$ (px)", ylabel="mean gradient (gray levels / px)", box_aspect=1)
    law.set_title("f   gradient against scale", loc="left")
    for axis, ticks in ((law.xaxis, sigmas), (law.yaxis, (0.5, 1, 1.5, 2, 3, 4, 6, 9))):
        axis.set_major_locator(matplotlib.ticker.FixedLocator(ticks))
        axis.set_major_formatter(matplotlib.ticker.FormatStrFormatter("%g"))
        axis.set_minor_locator(matplotlib.ticker.NullLocator())
    law.grid(lw=0.4, alpha=0.5)
    law.spines[["top", "right"]].set_visible(False)
    law.legend(frameon=False, loc="lower left")
    figure.get_layout_engine().set(w_pad=0.1, h_pad=0.12)
    figure.savefig(path, dpi=150)
    plt.close(figure)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=pathlib.Path, default=pathlib.Path("output"), help="folder of the figures")
    parser.add_argument("--small", action="store_true", help="fewer draws, a smaller image")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)

    best, covariance, sigma, bootstrap, fine, curves = fit_pelts(8 if options.small else 40)
    report_pelts(best, covariance, sigma, bootstrap)
    plot_pelts(options.out / "hare_lynx.png", best, bootstrap, fine, curves)

    size, draws, octaves = (256, 8, 3) if options.small else (1024, 24, 5)
    sigmas = 2.0 ** np.arange(octaves)
    colour, gray, strength, edges, probability, *scales = study_photograph(size, draws, sigmas, level=6.0)
    report_photograph(gray, strength, edges, probability, sigmas, *scales)
    plot_photograph(options.out / "photograph.png", colour, edges, probability, sigmas, *scales)
    print(f"figures in {options.out}")


if __name__ == "__main__":
    main()
