"""Self-critical sequence training (Rennie et al., CVPR 2017): the last stage, in which drafts are sampled and rewarded.

Cross-entropy teaches how reports are worded; what a finding costs that is invented, or missed, it never says. Here the
language model writes drafts of training recordings, of which it is told what encoders say that had not seen them, and
learns from what each draft is worth: it decides when a finding is named, and no threshold does.
"""
