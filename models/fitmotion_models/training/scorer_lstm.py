"""The published learned scorer of the screen's movements: an LSTM with focal loss, on our rubric's three grades.

LSTM(360 -> 120), ReLU, linear to 3, softmax; focal loss (Lin et al. 2017, exponent 2), Adam with 5e-4, weight decay
1e-5, 64 epochs. A repetition is correct where grade 3 is likelier than 2 and 1 together. Other networks on the same
frames are trained here likewise.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fitmotion_models.training.scorer_data import Table
from fitmotion_models.training.scorer_frames import INPUTS

GRADES = (1, 2, 3)
# in leg lengths, radians and per second: what changes by less in the recordings that one learns from, such as wrists
# and toes that their camera does not see, says nothing of other motion, where it may change
_LEAST_DEVIATION = 1e-2


@dataclass(frozen=True)
class LstmSettings:
    """As published, but for the batch, which is not stated.

    balanced: grades are drawn equally often. noise: on the frames, in their own standard deviations.
    """

    hidden: int = 120
    learning_rate: float = 5e-4
    weight_decay: float = 1e-5
    epochs: int = 64
    focal_exponent: float = 2.0
    batch: int = 32
    balanced: bool = False
    noise: float = 0.0


def lstm_network(hidden: int) -> Any:
    """The published network: (N, T, 360) -> (N, 3) before the softmax; torch is imported when it is made."""
    import torch

    class LastOfLstm(torch.nn.Module):
        """The state after the last frame, then one linear layer."""

        def __init__(self) -> None:
            super().__init__()
            self.lstm = torch.nn.LSTM(INPUTS, hidden, batch_first=True)
            self.linear = torch.nn.Linear(hidden, len(GRADES))

        def forward(self, frames: Any) -> Any:
            """(N, T, 360) -> (N, 3) before the softmax."""
            states, _ = self.lstm(frames)
            return self.linear(torch.relu(states[:, -1]))

    return LastOfLstm()


class LstmScorer:
    """Fits on sequences (N, T, 360) and grades (N,) 1 to 3; torch is imported when it does.

    network: makes one from the settings' width.
    """

    def __init__(
        self, settings: LstmSettings | None = None, seed: int = 0, network: Callable[[int], Any] = lstm_network
    ) -> None:
        self._settings, self._seed, self._make = settings or LstmSettings(), seed, network
        self._network: Any = None
        self._centre = self._scale = np.zeros(INPUTS, np.float32)

    def fit(self, frames: NDArray[np.float32], grades: NDArray[np.int64]) -> "LstmScorer":
        """Train from scratch."""
        import torch

        settings = self._settings
        torch.set_num_threads(1)  # steps this small only wait for each other
        torch.manual_seed(self._seed)
        random = np.random.default_rng(self._seed)
        deviation = frames.std(axis=(0, 1))
        self._centre, self._scale = frames.mean(axis=(0, 1)), np.where(deviation < _LEAST_DEVIATION, np.inf, deviation)
        self._network = self._make(settings.hidden)
        optimiser = torch.optim.Adam(
            self._network.parameters(), lr=settings.learning_rate, weight_decay=settings.weight_decay
        )
        inputs, targets = torch.from_numpy(self._scaled(frames)), torch.from_numpy(grades - GRADES[0])
        for _ in range(settings.epochs):
            order = torch.from_numpy(_balanced(grades, random)) if settings.balanced else torch.randperm(len(inputs))
            for chosen in order.split(settings.batch):
                given = inputs[chosen]
                if settings.noise:
                    given = given + settings.noise * torch.randn_like(given)
                chances = torch.log_softmax(self._network(given), dim=1)
                log_chance = chances.gather(1, targets[chosen, None])[:, 0]
                focal = (1.0 - log_chance.exp()) ** settings.focal_exponent
                loss = -(focal * log_chance).mean()
                optimiser.zero_grad()
                loss.backward()
                optimiser.step()
        self._network.eval()
        return self

    def chances(self, frames: NDArray[np.float32]) -> Table:
        """The probabilities (N, 3) of the grades 1, 2, 3."""
        import torch

        with torch.no_grad():
            found = torch.softmax(self._network(torch.from_numpy(self._scaled(frames))), dim=1)
        return np.asarray(found.numpy(), dtype=np.float64)

    def meets(self, frames: NDArray[np.float32]) -> Table:
        """The probability (N,) of grade 3."""
        return np.asarray(self.chances(frames)[:, GRADES.index(3)])

    def state(self) -> dict[str, Any]:
        """What `restored` makes the same scorer of: tensors by name."""
        import torch

        centre, scale = (torch.from_numpy(np.asarray(one, np.float32)) for one in (self._centre, self._scale))
        return {"centre": centre, "scale": scale, "network": self._network.state_dict()}

    def restored(self, state: dict[str, Any]) -> "LstmScorer":
        """This scorer with what `state` gave. Raises RuntimeError where that is another network's."""
        self._centre, self._scale = state["centre"].numpy(), state["scale"].numpy()
        self._network = self._make(self._settings.hidden)
        self._network.load_state_dict(state["network"])
        self._network.eval()
        return self

    def _scaled(self, frames: NDArray[np.float32]) -> NDArray[np.float32]:
        return np.asarray(np.clip((frames - self._centre) / self._scale, -5.0, 5.0), dtype=np.float32)


def _balanced(grades: NDArray[np.int64], random: np.random.Generator) -> NDArray[np.int64]:
    """As many rows as there are, the grades equally often, in random order."""
    known = np.unique(grades)
    share = -(-len(grades) // len(known))
    return random.permutation(np.concatenate([random.choice(np.flatnonzero(grades == one), share) for one in known]))
