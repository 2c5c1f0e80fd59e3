"""A generator and a discriminator learn from each other, with a gradient penalty."""

import torch
from torch import nn


def weights(module):
    if isinstance(module, nn.Linear):
        nn.init.normal_(module.weight, 0.0, 0.1)
        nn.init.zeros_(module.bias)


def penalty(critic, x):
    x = x.detach().requires_grad_()
    score = critic(x)
    (slope,) = torch.autograd.grad(score, x, torch.ones_like(score), create_graph=True)
    return ((slope.norm(2, dim=1) - 1) ** 2).mean()


def main():
    torch.manual_seed(0)
    generator = nn.Sequential(
        nn.Linear(8, 32), nn.LeakyReLU(0.2), nn.Linear(32, 2), nn.Tanh()
    )
    critic = nn.Sequential(
        nn.Linear(2, 32),
        nn.LeakyReLU(0.2, inplace=True),
        nn.Dropout(0.3),
        nn.Linear(32, 1),
        nn.Sigmoid(),
    )
    generator.apply(weights)
    critic.apply(weights)
    of_generator = torch.optim.Adam(generator.parameters(), lr=2e-3, betas=(0.5, 0.999))
    of_critic = torch.optim.Adam(critic.parameters(), lr=2e-3, betas=(0.5, 0.999))
    criterion = nn.BCELoss()
    losses, texts = [], []
    for step in range(25):
        real = torch.randn(16, 2) * 0.2 + 0.5
        yes, no = torch.ones(16, 1), torch.zeros(16, 1)
        fake = generator(torch.randn(16, 8))
        of_critic.zero_grad()
        loss = criterion(critic(real), yes) + criterion(critic(fake.detach()), no)
        (loss + 0.1 * penalty(critic, real)).backward()
        of_critic.step()
        of_generator.zero_grad()
        trick = criterion(critic(fake), yes)
        trick.backward()
        of_generator.step()
        losses += [loss.item(), trick.item()]
        if step % 10 == 0:
            texts.append(f"critic {loss:.4f} generator {trick.item():.4f}")
    generator.eval()
    with torch.no_grad():
        sample = generator(torch.zeros(1, 8))
    return losses, "\n".join(texts), f"{sample.sum():.3f}"
