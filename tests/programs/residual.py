"""A residual network: mixed images, summed gradients, mean weights, a checkpoint."""

import copy
import io

import torch
import torch.nn.functional as F
from torch import nn


class Block(nn.Module):
    def __init__(self, inputs, outputs, stride=1):
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(outputs)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(outputs)
        self.shortcut = nn.Sequential()
        if stride != 1 or inputs != outputs:
            self.shortcut = nn.Sequential(
                nn.Conv2d(inputs, outputs, 1, stride, bias=False),
                nn.BatchNorm2d(outputs),
            )

    def forward(self, x):
        out = F.relu(self.bn1(self.conv1(x)))
        return F.relu(self.bn2(self.conv2(out)) + self.shortcut(x))


class Network(nn.Module):
    def __init__(self):
        super().__init__()
        self.stem = nn.Conv2d(3, 8, 3, 1, 1)
        self.blocks = nn.ModuleList([Block(8, 8), Block(8, 16, 2)])
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.head = nn.Linear(16, 4)
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out")

    def forward(self, x):
        x = self.stem(x)
        for block in self.blocks:
            x = block(x)
        return self.head(torch.flatten(self.pool(x), 1))


def follow(average, model):
    with torch.no_grad():
        state = model.state_dict()
        for name, value in average.state_dict().items():
            if value.dtype.is_floating_point:
                value.mul_(0.9).add_(state[name], alpha=0.1)
            else:
                value.copy_(state[name])


def main():
    torch.manual_seed(0)
    model = Network()
    average = copy.deepcopy(model).requires_grad_(False)
    flat = [p for p in model.parameters() if p.ndim == 1]
    rest = [p for p in model.parameters() if p.ndim > 1]
    optimizer = torch.optim.SGD(
        [{"params": rest, "weight_decay": 1e-2}, {"params": flat}],
        lr=0.05,
        momentum=0.9,
    )
    scheduler = torch.optim.lr_scheduler.OneCycleLR(optimizer, 0.1, total_steps=8)
    images, labels = torch.randn(64, 3, 8, 8), torch.randint(0, 4, (64,))
    losses = []
    for step in range(8):
        for half in range(2):
            part = slice(8 * (step + half) % 64, 8 * (step + half) % 64 + 8)
            x, y = images[part], labels[part]
            order = torch.randperm(len(x))
            out = model(0.7 * x + 0.3 * x[order])
            loss = 0.7 * F.cross_entropy(out, y) + 0.3 * F.cross_entropy(out, y[order])
            (loss / 2).backward()
            losses.append(loss.item())
        nn.utils.clip_grad_norm_(model.parameters(), 2.0)
        optimizer.step()
        optimizer.zero_grad()
        scheduler.step()
        follow(average, model)
    file = io.BytesIO()
    torch.save({"model": model.state_dict(), "optimizer": optimizer.state_dict()}, file)
    file.seek(0)
    saved = torch.load(file)
    again = Network()
    missing = again.load_state_dict(saved["model"])
    same = torch.equal(model.eval()(images[:4]), again.eval()(images[:4]))
    text = f"{model}\n{missing} {same} {scheduler.get_last_lr()}"
    return losses, text, str(len(saved["optimizer"]["state"]))
