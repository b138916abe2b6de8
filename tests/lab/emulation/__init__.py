# SPDX-License-Identifier: LGPL-2.1-or-later
"""Two emulated SR-IOV hosts in a network namespace, and what is done with them."""
