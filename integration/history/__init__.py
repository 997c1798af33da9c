# SPDX-License-Identifier: Apache-2.0
"""The history checker: see README.md."""
