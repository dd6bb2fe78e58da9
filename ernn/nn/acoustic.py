"""The acoustic model: a recurrent network with a linear layer of logits over phones behind all others."""

from collections.abc import Sequence
from typing import Literal

import torch
from torch import Tensor

from ernn.nn.recurrent import RecurrentModel
from ernn.params import HeadSpec, Network
from ernn.records.decoding import Decoding

Criterion = Literal["frames", "ctc"]


class AcousticModel(RecurrentModel):
    """Logits over the phones (and CTC's blank, last) for every feature vector.

    `decoding` is how CTC is decoded; None: greedily, by the best class of every frame.
    """

    log_priors: Tensor
    bigram: Tensor
    decoding: Decoding | None = None

    def __init__(
        self,
        network: Network,
        dimension: int,
        phones: Sequence[str],
        criterion: Criterion = "frames",
        head: Sequence[HeadSpec] = (),
    ) -> None:
        super().__init__(network, dimension, len(phones) + (criterion == "ctc"), head=head)
        self.phones, self.criterion = tuple(phones), criterion
        self.register_buffer("log_priors", torch.zeros(len(phones)))
        self.register_buffer("bigram", torch.zeros(len(phones) + 1, len(phones)))
