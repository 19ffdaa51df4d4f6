"""The mini-program (小程序) side of the simulated WeChat."""
