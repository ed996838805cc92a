"""OpenCV on a photograph."""

import cv2
import numpy as np
from skimage import data

image = np.ascontiguousarray(data.astronaut()[:256, :256, ::-1])
gray = cv2.cvtColor(image, cv2.COLOR_BGR2GRAY)
blurred = cv2.GaussianBlur(gray, (5, 5), 1.2)
gx = cv2.Sobel(blurred, cv2.CV_32F, 1, 0)
gy = cv2.Sobel(blurred, cv2.CV_32F, 0, 1)
level, mask = cv2.threshold(cv2.magnitude(gx, gy), 60.5, 255, cv2.THRESH_BINARY)
print(gray.dtype, gray.mean().round(3), blurred[100, :4].tolist(), int((mask > 0).sum()), level)
print(cv2.resize(gray, (64, 48)).shape, isinstance(image, np.ndarray), cv2.COLOR_BGR2GRAY)
