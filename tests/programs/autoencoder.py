"""A variational autoencoder learns handwritten digits, with a rate that adapts."""

import torch
import torch.nn.functional as F
from sklearn.datasets import load_digits
from torch import nn


class Autoencoder(nn.Module):
    def __init__(self):
        super(Autoencoder, self).__init__()  # noqa: UP008 (as older programs do)
        self.inside = nn.Linear(64, 32)
        self.mean = nn.Linear(32, 4)
        self.logvar = nn.Linear(32, 4)
        self.decode = nn.Sequential(nn.Linear(4, 32), nn.ReLU(), nn.Linear(32, 64))

    def forward(self, x):
        h = F.relu(self.inside(x.view(-1, 64)))
        mean, logvar = self.mean(h), self.logvar(h)
        z = mean + torch.randn_like(mean) * torch.exp(0.5 * logvar)
        return torch.sigmoid(self.decode(z)), mean, logvar


def main():
    torch.manual_seed(0)
    images = torch.from_numpy(load_digits().images).float() / 16
    data = torch.utils.data.TensorDataset(images[:600])
    loader = torch.utils.data.DataLoader(data, batch_size=100, shuffle=True)
    model = Autoencoder()
    optimizer = torch.optim.SGD(
        model.parameters(), lr=1e-3, momentum=0.9, nesterov=True, weight_decay=1e-4
    )
    scheduler = torch.optim.lr_scheduler.ReduceLROnPlateau(optimizer, patience=0)
    losses, texts = [], []
    for epoch in range(4):
        total = 0.0
        for (x,) in loader:
            shown, mean, logvar = model(x)
            loss = F.binary_cross_entropy(shown, x.view(-1, 64), reduction="sum")
            loss -= 0.5 * torch.sum(1 + logvar - mean.pow(2) - logvar.exp())
            optimizer.zero_grad()
            (loss / len(x)).backward()
            optimizer.step()
            total += loss.item()
        scheduler.step(total)
        losses.append(total / len(data))
        rate = optimizer.param_groups[0]["lr"]
        texts.append(f"epoch {epoch} loss {losses[-1]:.2f} rate {rate}")
    return losses, "\n".join(texts), str(torch.rand(1).item())
