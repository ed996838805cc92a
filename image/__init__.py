"""Image kernels under scikit-image's and OpenCV's names."""
