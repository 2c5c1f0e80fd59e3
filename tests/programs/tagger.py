"""A bidirectional LSTM learns to tag sequences of different lengths."""

import random

import torch
from torch import nn

PAD, WORDS, TAGS = 0, 10, 3


def batch(size):
    lengths = [random.randint(2, 6) for _ in range(size)]
    words = [[random.randint(1, WORDS - 1) for _ in range(n)] for n in lengths]
    padded = [row + [PAD] * (max(lengths) - len(row)) for row in words]
    return torch.tensor(padded), torch.tensor(lengths)


class Tagger(nn.Module):
    def __init__(self):
        super().__init__()
        self.embed = nn.Embedding(WORDS, 8, padding_idx=PAD)
        self.drop = nn.Dropout(0.1)
        self.rnn = nn.LSTM(8, 12, bidirectional=True, batch_first=True)
        self.out = nn.Linear(24, TAGS)

    def forward(self, words, lengths):
        x = self.drop(self.embed(words))
        packed = nn.utils.rnn.pack_padded_sequence(
            x, lengths.cpu(), batch_first=True, enforce_sorted=False
        )
        hidden, _ = self.rnn(packed)
        hidden, _ = nn.utils.rnn.pad_packed_sequence(hidden, batch_first=True)
        return self.out(hidden)


def main():
    torch.manual_seed(0)
    random.seed(0)
    model = Tagger()
    optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
    criterion = nn.CrossEntropyLoss(ignore_index=-1)
    losses, texts = [], [str(model)]
    for step in range(30):
        words, lengths = batch(16)
        mask = torch.arange(words.size(1))[None, :] < lengths[:, None]
        tags = (words % TAGS).masked_fill(~mask, -1)
        logits = model(words, lengths)
        loss = criterion(logits.reshape(-1, TAGS), tags.reshape(-1))
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        losses.append(loss.item())
        if step % 10 == 9:
            right = ((logits.argmax(-1) == tags) & mask).sum().float() / mask.sum()
            texts.append(f"step {step}: {right:.3f}")
    untouched = model.embed.weight.grad[PAD].abs().sum().item()
    return losses, "\n".join(texts), str(untouched)
