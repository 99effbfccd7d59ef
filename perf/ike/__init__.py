# SPDX-License-Identifier: Apache-2.0
"""The parts of perf/rate: who speaks with whom, gateways, trials, figures and goals."""
