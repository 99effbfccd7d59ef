# SPDX-License-Identifier: Apache-2.0
"""What a system scene is made of: namespaces, gateways, hosts, traffic and captures."""
