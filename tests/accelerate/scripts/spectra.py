"""Fourier transforms and a filter."""

import numpy as np
from scipy import fft, signal

t = np.arange(600) / 800
wave = np.sin(100 * np.pi * t) + 0.5 * np.sin(160 * np.pi * t)
spectrum = np.abs(fft.rfft(wave))
print(fft.rfftfreq(600, 1 / 800)[np.sort(np.argsort(spectrum)[-2:])].round(2))
b, a = signal.butter(4, 60, fs=800)
print(signal.filtfilt(b, a, wave)[::120].round(5))
freqs, power = signal.welch(wave, fs=800, nperseg=256)
print(round(float(freqs[power.argmax()]), 3))
