"""What commands import, imported: for the process that they are forked off (:mod:`tests.trust.faults.commands`). Nothing here may start a thread."""

import distributed  # noqa: F401
import pandas  # noqa: F401
import peft  # noqa: F401
import pyarrow.parquet  # noqa: F401
from transformers import AutoModelForSequenceClassification, BertForSequenceClassification, BertTokenizerFast  # noqa: F401

from robustprune import averaging, cli, evaluating, foreign, lab, soups  # noqa: F401
from robustprune.attacks import library, recipes, resources, run  # noqa: F401
from robustprune.pruning import export, pipeline  # noqa: F401
from robustprune.sweeps import cluster, conduct, plan, task  # noqa: F401

library.textattack()
