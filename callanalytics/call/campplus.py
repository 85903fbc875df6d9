"""CAM++, a speaker embedding: sound of one voice to a vector of 192 numbers that is alike for the same voice.

The network of Wang et al., "CAM++: A Fast and Efficient Network for Speaker Verification Using Context-Aware
Masking" (arXiv 2303.00332), in the sizes of 3D-Speaker's zh-en weights: a front end of 2-D convolutions (FCM), then a
densely connected TDNN of 12, 24 and 16 layers with context-aware masking, then statistics pooling.  Attribute names
are those of the published weights, so that they load without renaming.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from pyannote.audio import Model
from torch import Tensor, nn
from torchaudio.compliance import kaldi

SAMPLE_RATE_HZ = 16_000
MELS = 80
DIMENSION = 192
GROWTH = 32
BOTTLENECK = 128
SEGMENT_FRAMES = 100  # width of the local context of the mask, section 3.2 of the paper
LENGTH_STEP = SAMPLE_RATE_HZ  # voices are cut to whole seconds; shorter ones are repeated up to one
MAX_LENGTH = 4 * SAMPLE_RATE_HZ  # the middle of a longer voice tells as much: same DER in 0.6 of the time
BATCH = 8  # voices of one length at a time; more take memory and are no faster


class ResidualBlock(nn.Module):
    """Two 3x3 convolutions with a shortcut; halves the frequency axis when `stride` is 2."""

    def __init__(self, channels: int, stride: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(channels, channels, 3, (stride, 1), 1, bias=False)
        self.bn1 = nn.BatchNorm2d(channels)
        self.conv2 = nn.Conv2d(channels, channels, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(channels)
        self.shortcut = nn.Sequential()
        if stride != 1:
            self.shortcut = nn.Sequential(
                nn.Conv2d(channels, channels, 1, (stride, 1), bias=False), nn.BatchNorm2d(channels)
            )

    def forward(self, x: Tensor) -> Tensor:
        """(batch, channels, mels, frames) -> (batch, channels, mels / stride, frames)"""
        out = torch.relu(self.bn1(self.conv1(x)))
        return torch.relu(self.bn2(self.conv2(out)) + self.shortcut(x))


class FrontEnd(nn.Module):
    """FCM: 2-D convolutions that make the network blind to small shifts in frequency."""

    def __init__(self, channels: int = 32) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(1, channels, 3, 1, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(channels)
        self.layer1 = nn.Sequential(ResidualBlock(channels, 2), ResidualBlock(channels, 1))
        self.layer2 = nn.Sequential(ResidualBlock(channels, 2), ResidualBlock(channels, 1))
        self.conv2 = nn.Conv2d(channels, channels, 3, (2, 1), 1, bias=False)
        self.bn2 = nn.BatchNorm2d(channels)

    def forward(self, x: Tensor) -> Tensor:
        """(batch, mels, frames) -> (batch, channels * mels / 8, frames)"""
        out = torch.relu(self.bn1(self.conv1(x[:, None])))
        out = torch.relu(self.bn2(self.conv2(self.layer2(self.layer1(out)))))
        return out.flatten(1, 2)


class Normalised(nn.Module):
    """Batch normalisation, then ReLU unless `is_last`."""

    def __init__(self, channels: int, is_last: bool = False) -> None:
        super().__init__()
        self.batchnorm = nn.BatchNorm1d(channels, affine=not is_last)
        self._is_last = is_last

    def forward(self, x: Tensor) -> Tensor:
        """Same shape."""
        out: Tensor = self.batchnorm(x)
        return out if self._is_last else torch.relu(out)


class Tdnn(nn.Module):
    """First layer: a convolution over time that halves the frame rate."""

    def __init__(self, channels: int, out_channels: int) -> None:
        super().__init__()
        self.linear = nn.Conv1d(channels, out_channels, 5, stride=2, padding=2, bias=False)
        self.nonlinear = Normalised(out_channels)

    def forward(self, x: Tensor) -> Tensor:
        """(batch, channels, frames) -> (batch, out_channels, frames / 2)"""
        out: Tensor = self.nonlinear(self.linear(x))
        return out


class ContextMask(nn.Module):
    """A dilated convolution whose output is weighed by a mask made from the mean of all frames and of those around."""

    def __init__(self, channels: int, out_channels: int, dilation: int) -> None:
        super().__init__()
        self.linear_local = nn.Conv1d(channels, out_channels, 3, padding=dilation, dilation=dilation, bias=False)
        self.linear1 = nn.Conv1d(channels, channels // 2, 1)
        self.linear2 = nn.Conv1d(channels // 2, out_channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        """(batch, channels, frames) -> (batch, out_channels, frames)"""
        around = nn.functional.avg_pool1d(x, SEGMENT_FRAMES, SEGMENT_FRAMES, ceil_mode=True)
        around = around.repeat_interleave(SEGMENT_FRAMES, dim=-1)[..., : x.shape[-1]]
        context = torch.relu(self.linear1(x.mean(-1, keepdim=True) + around))
        out: Tensor = self.linear_local(x) * torch.sigmoid(self.linear2(context))
        return out


class DenseLayer(nn.Module):
    """One layer of a dense block: its output is appended to its input by the block."""

    def __init__(self, channels: int, dilation: int) -> None:
        super().__init__()
        self.nonlinear1 = Normalised(channels)
        self.linear1 = nn.Conv1d(channels, BOTTLENECK, 1, bias=False)
        self.nonlinear2 = Normalised(BOTTLENECK)
        self.cam_layer = ContextMask(BOTTLENECK, GROWTH, dilation)

    def forward(self, x: Tensor) -> Tensor:
        """(batch, channels, frames) -> (batch, GROWTH, frames)"""
        out: Tensor = self.cam_layer(self.nonlinear2(self.linear1(self.nonlinear1(x))))
        return out


class DenseBlock(nn.ModuleDict):
    """Layers that each see the output of all before."""

    def __init__(self, layers: int, channels: int, dilation: int) -> None:
        super().__init__({f"tdnnd{i + 1}": DenseLayer(channels + i * GROWTH, dilation) for i in range(layers)})

    def forward(self, x: Tensor) -> Tensor:
        """(batch, channels, frames) -> (batch, channels + layers * GROWTH, frames)"""
        for layer in self.values():
            x = torch.cat([x, layer(x)], dim=1)
        return x


class Transit(nn.Module):
    """Halves the number of channels between dense blocks."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.nonlinear = Normalised(channels)
        self.linear = nn.Conv1d(channels, channels // 2, 1, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """(batch, channels, frames) -> (batch, channels / 2, frames)"""
        out: Tensor = self.linear(self.nonlinear(x))
        return out


class Statistics(nn.Module):
    """Mean and standard deviation over time."""

    def forward(self, x: Tensor) -> Tensor:
        """(batch, channels, frames) -> (batch, 2 * channels)"""
        return torch.cat([x.mean(-1), x.std(-1, unbiased=True)], dim=-1)


class Dense(nn.Module):
    """The embedding itself."""

    def __init__(self, channels: int, out_channels: int) -> None:
        super().__init__()
        self.linear = nn.Conv1d(channels, out_channels, 1, bias=False)
        self.nonlinear = Normalised(out_channels, is_last=True)

    def forward(self, x: Tensor) -> Tensor:
        """(batch, channels) -> (batch, out_channels)"""
        out: Tensor = self.nonlinear(self.linear(x[..., None]))
        return out[..., 0]


class Campplus(nn.Module):
    """The whole network."""

    def __init__(self) -> None:
        super().__init__()
        self.head = FrontEnd()
        self.xvector = nn.Sequential()
        channels = 128
        self.xvector.add_module("tdnn", Tdnn(32 * MELS // 8, channels))
        for i, (layers, dilation) in enumerate(((12, 1), (24, 2), (16, 2)), start=1):
            self.xvector.add_module(f"block{i}", DenseBlock(layers, channels, dilation))
            channels += layers * GROWTH
            self.xvector.add_module(f"transit{i}", Transit(channels))
            channels //= 2
        self.xvector.add_module("out_nonlinear", Normalised(channels))
        self.xvector.add_module("stats", Statistics())
        self.xvector.add_module("dense", Dense(2 * channels, DIMENSION))

    def forward(self, features: Tensor) -> Tensor:
        """Log-mel features (batch, frames, 80) -> embeddings (batch, 192)."""
        out: Tensor = self.xvector(self.head(features.transpose(1, 2)))
        return out


class CampplusModel(Model):
    """CAM++ as pyannote.audio's pipeline calls an embedding model."""

    dimension = DIMENSION

    def __init__(self, weights: Path) -> None:
        """Load the weights without running code from the file."""
        super().__init__(sample_rate=SAMPLE_RATE_HZ)
        self.network = Campplus()
        self.network.load_state_dict(torch.load(weights, map_location="cpu", weights_only=True))
        self.eval()

    def forward(self, waveforms: Tensor, weights: Tensor | None = None, **_: Any) -> Tensor:
        """Waveforms (batch, 1, samples) at 16 kHz -> embeddings (batch, 192).

        `weights` (batch, frames), 0 or 1, says where the voice speaks: only that sound is used, so another voice in
        the same window can't colour the embedding.  A voice that never speaks gives NaN, which pyannote.audio skips.
        """
        out = torch.full((len(waveforms), DIMENSION), float("nan"))
        by_length: dict[int, list[tuple[int, Tensor]]] = {}
        for i, waveform in enumerate(waveforms[:, 0]):
            voice = waveform
            if weights is not None:
                mask = nn.functional.interpolate(weights[i][None, None], size=len(waveform))[0, 0] > 0.5
                voice = waveform[mask]
            if len(voice):
                kept = cut_to_length(voice)
                by_length.setdefault(len(kept), []).append((i, features(kept)))
        for group in by_length.values():
            for first in range(0, len(group), BATCH):
                batch = group[first : first + BATCH]
                out[[i for i, _ in batch]] = self.network(torch.stack([f for _, f in batch]))
        return out

    def build(self) -> Any:
        """Nothing depends on a task here."""


def cut_to_length(voice: Tensor) -> Tensor:
    """The middle of a voice (samples,) in whole seconds, at most MAX_LENGTH; less than a second is repeated up to one.

    Few different lengths make full batches, and the libraries under torch keep compiled code for every shape they meet.
    """
    length = max(min(len(voice), MAX_LENGTH) // LENGTH_STEP, 1) * LENGTH_STEP
    voice = voice.repeat(-(-length // len(voice)))
    first = (len(voice) - length) // 2
    return voice[first : first + length]


def features(waveform: Tensor) -> Tensor:
    """80 log-mel energies a frame of 10 ms, mean over time removed: (samples,) -> (frames, 80)."""
    energies: Tensor = kaldi.fbank(waveform[None], num_mel_bins=MELS, sample_frequency=SAMPLE_RATE_HZ, dither=0.0)
    return energies - energies.mean(0, keepdim=True)
