# SPDX-License-Identifier: Apache-2.0
"""The comparison that perf/run makes, from the inside out: plan, figures, goals and report are pure; contestants
starts programs, machine touches this computer.
"""
