"""What lies in `inside` needs the kernel of user-mode Linux: it is collected there, and only there."""

import os

collect_ignore = [] if "STAYALIVED_INSIDE_UML" in os.environ else ["inside"]
