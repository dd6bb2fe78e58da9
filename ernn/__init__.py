"""Block-circulant recurrent networks, from speech to FPGA (E-RNN, arXiv:1812.07106)."""
