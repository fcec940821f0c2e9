"""What commands import, imported: for the process that they are forked off (:mod:`tests.trust.faults.commands`). Nothing here may start a thread."""

import distributed  # noqa: F401
import pandas  # noqa: F401
import peft  # noqa: F401
import pyarrow.parquet  # noqa: F401
from transformers import AutoModelForSequenceClassification, BertForSequenceClassification, BertTokenizerFast  # noqa: F401

from robustprune.attacks.engine import library

library.textattack()
