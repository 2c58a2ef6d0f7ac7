"""The version, in one place: the build reads it from here. It imports nothing."""

VERSION = "0.1.0"
