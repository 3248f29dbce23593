"""What roomkit is measured against: each the server people would write with that library, or the
broker as it comes. The one that is bare does nothing but the kernel's work.
"""
