"""Where people are told what has drifted, besides the issues of a forge."""
