"""Programs that use Wengert as PyTorch's users would."""
