"""A small transformer learns a sentence by heart and goes on writing."""

import math

import torch
import torch.nn.functional as F
from torch import nn

TEXT = "hello world, this is a tiny corpus for a tiny transformer. " * 20
BATCH, TIME, WIDTH, HEADS = 8, 16, 32, 4

chars = sorted(set(TEXT))
code = {char: i for i, char in enumerate(chars)}


class Attention(nn.Module):
    def __init__(self):
        super().__init__()
        self.qkv = nn.Linear(WIDTH, 3 * WIDTH, bias=False)
        self.project = nn.Linear(WIDTH, WIDTH)
        self.dropout = nn.Dropout(0.1)
        self.register_buffer("past", torch.tril(torch.ones(TIME, TIME)))

    def forward(self, x):
        batch, time, width = x.shape
        q, k, v = self.qkv(x).split(WIDTH, dim=2)
        q = q.view(batch, time, HEADS, width // HEADS).transpose(1, 2)
        k = k.view(batch, time, HEADS, width // HEADS).transpose(1, 2)
        v = v.view(batch, time, HEADS, width // HEADS).transpose(1, 2)
        weights = (q @ k.transpose(-2, -1)) * (1.0 / math.sqrt(k.size(-1)))
        weights = weights.masked_fill(self.past[:time, :time] == 0, float("-inf"))
        weights = self.dropout(F.softmax(weights, dim=-1))
        mixed = (weights @ v).transpose(1, 2).contiguous().view(batch, time, width)
        return self.project(mixed)


class Block(nn.Module):
    def __init__(self):
        super().__init__()
        self.norm1, self.norm2 = nn.LayerNorm(WIDTH), nn.LayerNorm(WIDTH)
        self.attention = Attention()
        self.mlp = nn.Sequential(
            nn.Linear(WIDTH, 4 * WIDTH), nn.GELU(), nn.Linear(4 * WIDTH, WIDTH)
        )

    def forward(self, x):
        x = x + self.attention(self.norm1(x))
        return x + self.mlp(self.norm2(x))


class GPT(nn.Module):
    def __init__(self):
        super().__init__()
        self.token = nn.Embedding(len(chars), WIDTH)
        self.position = nn.Embedding(TIME, WIDTH)
        self.blocks = nn.ModuleList([Block() for _ in range(2)])
        self.norm = nn.LayerNorm(WIDTH)
        self.head = nn.Linear(WIDTH, len(chars))
        self.apply(self.start)

    def start(self, module):
        if isinstance(module, nn.Linear):
            nn.init.normal_(module.weight, 0.0, 0.02)
            if module.bias is not None:
                nn.init.zeros_(module.bias)
        elif isinstance(module, nn.Embedding):
            nn.init.normal_(module.weight, 0.0, 0.02)

    def forward(self, index, targets=None):
        x = self.token(index) + self.position(torch.arange(index.shape[1]))
        for block in self.blocks:
            x = block(x)
        logits = self.head(self.norm(x))
        if targets is None:
            return logits, None
        rows = logits.view(-1, logits.size(-1))
        return logits, F.cross_entropy(rows, targets.view(-1))


def main():
    torch.manual_seed(1337)
    data = torch.tensor([code[char] for char in TEXT], dtype=torch.long)
    model = GPT()
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-2)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, 30)
    losses = []
    for _ in range(30):
        starts = torch.randint(len(data) - TIME, (BATCH,))
        inputs = torch.stack([data[i : i + TIME] for i in starts])
        targets = torch.stack([data[i + 1 : i + TIME + 1] for i in starts])
        _, loss = model(inputs, targets)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        schedule.step()
        losses.append(loss.item())
    model.eval()
    with torch.no_grad():
        index = torch.zeros((1, 1), dtype=torch.long)
        for _ in range(20):
            logits, _ = model(index[:, -TIME:])
            drawn = torch.multinomial(F.softmax(logits[:, -1, :], dim=-1), 1)
            index = torch.cat((index, drawn), 1)
    return losses, "".join(chars[i] for i in index[0].tolist()), repr(model)
