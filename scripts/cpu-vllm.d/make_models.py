"""Write the test models as Hugging Face folders, from one GGUF file.

    make_models.py GGUF OUT_DIR [NAME...]

The GGUF is SmolLM2-135M-Instruct. NAME is one of

    smollm2-135m             its weights, dequantised and rounded to bfloat16
    smollm2-135m-drop-layer  the same without layer 15 of 30: a broken model that still talks
    smollm2-135m-24-layers   ... without the six layers 20 to 25: a smaller model of the family
    smollm2-135m-int4        the same with its linear layers rounded to 4 bits (see rounded())
    smollm2-135m-int3        ... and to 3 bits
    smollm2-135m-int8        ... and to 8 bits, one scale for each row
    smollm2-135m-fp8         ... and to 8-bit floats (e4m3), one scale for each row
    smollm2-135m-window      the same weights, told to look at the last 64 tokens only
    qwen7b-random            the architecture of Qwen2.5-7B with this GGUF's vocabulary and weights drawn
                             from a seed (see drawn()): for speed alone, since it says nothing

and all of them but the last, which has 14 GB, are written if none is named. Only numpy is needed, and the bytes written depend on
nothing but the GGUF. All folders get the same tokenizer files.
"""

import json
import math
import mmap
import pathlib
import struct
import sys

import numpy

DROPPED_LAYER = 15
DROPPED_SIX = range(20, 26)
GROUP = 64
WINDOW = 64
SEED = 7

LAYER = {
    "attn_norm": "input_layernorm",
    "attn_q": "self_attn.q_proj",
    "attn_k": "self_attn.k_proj",
    "attn_v": "self_attn.v_proj",
    "attn_output": "self_attn.o_proj",
    "ffn_norm": "post_attention_layernorm",
    "ffn_gate": "mlp.gate_proj",
    "ffn_up": "mlp.up_proj",
    "ffn_down": "mlp.down_proj",
}


class Gguf:
    """A GGUF file of version 3: `meta`, and tensors as float32 arrays."""

    SCALARS = {0: "B", 1: "b", 2: "H", 3: "h", 4: "I", 5: "i", 6: "f", 7: "?", 10: "Q", 11: "q", 12: "d"}

    def __init__(self, path):
        with open(path, "rb") as file:
            self.data = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        self.at = 0
        if self._take("4s") != b"GGUF" or self._take("I") != 3:
            raise SystemExit(f"{path}: not a GGUF file of version 3")
        tensors, pairs = self._take("Q"), self._take("Q")
        self.meta = {}
        for _ in range(pairs):
            key = self._string()
            self.meta[key] = self._value(self._take("I"))
        self.tensors = {}
        for _ in range(tensors):
            name = self._string()
            shape = [self._take("Q") for _ in range(self._take("I"))][::-1]
            self.tensors[name] = (shape, self._take("I"), self._take("Q"))
        align = self.meta.get("general.alignment", 32)
        self.start = -(-self.at // align) * align

    def _take(self, kind):
        (value,) = struct.unpack_from("<" + kind, self.data, self.at)
        self.at += struct.calcsize("<" + kind)
        return value

    def _string(self):
        size = self._take("Q")
        self.at += size
        return self.data[self.at - size : self.at].decode()

    def _value(self, kind):
        if kind == 8:
            return self._string()
        if kind == 9:
            kind, count = self._take("I"), self._take("Q")
            return [self._value(kind) for _ in range(count)]
        return self._take(self.SCALARS[kind])

    def tensor(self, name):
        shape, kind, offset = self.tensors[name]
        count = int(numpy.prod(shape))

        def blocks(*fields):
            # One item per block of 32 weights, or per weight for a plain float.
            dtype = numpy.dtype(list(fields))
            items = count // (1 if kind == 0 else 32)
            return numpy.frombuffer(self.data, dtype, items, self.start + offset)

        if kind == 0:  # F32
            values = blocks(("x", "<f4"))["x"].copy()
        elif kind == 3:  # Q4_1: scale and minimum, 4 bits a weight, low halves first
            block = blocks(("scale", "<f2"), ("least", "<f2"), ("x", "u1", 16))
            x = numpy.concatenate([block["x"] & 15, block["x"] >> 4], axis=1).astype("f4")
            values = block["scale"].astype("f4")[:, None] * x + block["least"].astype("f4")[:, None]
        elif kind == 8:  # Q8_0: scale, 8 bits a weight
            block = blocks(("scale", "<f2"), ("x", "i1", 32))
            values = block["scale"].astype("f4")[:, None] * block["x"].astype("f4")
        else:
            raise SystemExit(f"{name}: quantisation {kind} is not one this script reads")
        return values.reshape(shape)


def bfloat16(values):
    """float32 to the bits of the nearest bfloat16, ties to even."""
    bits = values.astype("<f4").view("<u4")
    return ((bits + 0x7FFF + ((bits >> 16) & 1)) >> 16).astype("<u2")


def float32(bits):
    return (bits.astype("<u4") << 16).view("<f4")


def rounded(bits, width, group=GROUP):
    """bfloat16 weights as they come out of symmetric quantisation to `width` bits.

    One scale for each `group` neighbours along the input: their largest magnitude over 2^(width-1) - 1.
    Scale and product are float32. Nothing is stored in few bits: the weights are bfloat16 again, so
    every server loads them, and only the loss of accuracy is that of a quantised model.
    """
    most = numpy.float32(2 ** (width - 1) - 1)
    groups = float32(bits).reshape(-1, group)
    scale = numpy.abs(groups).max(axis=1, keepdims=True) / most
    scale[scale == 0] = 1
    return bfloat16(numpy.rint(groups / scale) * scale).reshape(bits.shape)


def e4m3(bits):
    """bfloat16 weights as they come out of 8-bit floats: 3 bits of mantissa, smallest exponent -6,
    largest value 448, which is the largest magnitude of a row."""
    rows = float32(bits)
    scale = numpy.abs(rows).max(axis=1, keepdims=True) / numpy.float32(448)
    scale[scale == 0] = 1
    _, exponent = numpy.frexp(rows / scale)
    step = numpy.ldexp(numpy.float32(1), numpy.maximum(exponent - 1, -6) - 3)
    return bfloat16(numpy.rint(rows / scale / step) * step * scale)


def weights(gguf):
    """Name to bfloat16 bits. The output layer shares the embedding, so it has no tensor of its own."""
    heads = gguf.meta["llama.attention.head_count"]
    kv_heads = gguf.meta["llama.attention.head_count_kv"]
    out = {}
    for name in gguf.tensors:
        values = gguf.tensor(name)
        stem = name.removesuffix(".weight")
        if stem in ("token_embd", "output_norm"):
            target = {"token_embd": "embed_tokens", "output_norm": "norm"}[stem]
        else:
            _, layer, part = stem.split(".")
            if part in ("attn_q", "attn_k"):
                # llama.cpp keeps the two halves of a rotary pair next to each other.
                count = heads if part == "attn_q" else kv_heads
                pairs = values.reshape(count, -1, 2, values.shape[1])
                values = pairs.swapaxes(1, 2).reshape(values.shape)
            target = f"layers.{layer}.{LAYER[part]}"
        out[f"model.{target}.weight"] = bfloat16(values)
    return out


def without_layer(tensors, dropped):
    out = {}
    for name, bits in tensors.items():
        parts = name.split(".")
        if parts[1] == "layers":
            layer = int(parts[2])
            if layer == dropped:
                continue
            parts[2] = str(layer - (layer > dropped))
        out[".".join(parts)] = bits
    return out


def without_six(tensors):
    for layer in reversed(DROPPED_SIX):
        tensors = without_layer(tensors, layer)
    return tensors


def safetensors(path, shapes, bits):
    """Writes tensors of these shapes one after another; `bits` gives those of a name."""
    header, at = {"__metadata__": {"format": "pt"}}, 0
    for name in sorted(shapes):
        end = at + 2 * math.prod(shapes[name])
        header[name] = {"dtype": "BF16", "shape": list(shapes[name]), "data_offsets": [at, end]}
        at = end
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text)
        for name in sorted(shapes):
            file.write(bits(name).tobytes())


# Qwen2.5-7B (arXiv 2412.15115, table 1), but for its vocabulary.
QWEN = {
    "architectures": ["Qwen2ForCausalLM"],
    "attention_dropout": 0.0,
    "dtype": "bfloat16",
    "hidden_act": "silu",
    "hidden_size": 3584,
    "initializer_range": 0.02,
    "intermediate_size": 18944,
    "max_position_embeddings": 32768,
    "max_window_layers": 28,
    "model_type": "qwen2",
    "num_attention_heads": 28,
    "num_hidden_layers": 28,
    "num_key_value_heads": 4,
    "rms_norm_eps": 1e-06,
    "rope_parameters": {"rope_theta": 1000000.0, "rope_type": "default"},
    "rope_theta": 1000000.0,
    "tie_word_embeddings": False,
    "use_cache": True,
    "use_sliding_window": False,
}


def shapes_of(told):
    """Name to shape, of the tensors of a Qwen2 of this configuration."""
    wide, inner, words = told["hidden_size"], told["intermediate_size"], told["vocab_size"]
    narrow = wide // told["num_attention_heads"] * told["num_key_value_heads"]
    layer = {f"self_attn.{part}_proj.bias": (rows,) for part, rows in (("q", wide), ("k", narrow), ("v", narrow))}
    layer |= {f"self_attn.{part}_proj.weight": (rows, wide) for part, rows in (("q", wide), ("k", narrow), ("v", narrow), ("o", wide))}
    layer |= {"mlp.gate_proj.weight": (inner, wide), "mlp.up_proj.weight": (inner, wide), "mlp.down_proj.weight": (wide, inner)}
    layer |= {"input_layernorm.weight": (wide,), "post_attention_layernorm.weight": (wide,)}
    out = {"model.embed_tokens.weight": (words, wide), "model.norm.weight": (wide,), "lm_head.weight": (words, wide)}
    return out | {f"model.layers.{n}.{name}": shape for n in range(told["num_hidden_layers"]) for name, shape in layer.items()}


# What each of 65,536 equally likely numbers is as a weight: uniform, with a standard deviation of 0.02.
UNIFORM = bfloat16((numpy.arange(65536, dtype="f8") - 32767.5) * (0.02 * 12**0.5 / 65536))


def drawn(name, shape):
    """The bits of a tensor that nobody trained: norms are 1 and biases 0, weights are drawn from the seed
    and the tensor's name. PCG64's raw numbers are the same in every numpy."""
    if "norm" in name or name.endswith(".bias"):
        return bfloat16(numpy.full(shape, float("norm" in name)))
    count = math.prod(shape)
    numbers = numpy.random.PCG64([SEED, *name.encode()]).random_raw(-(-count // 4))
    return UNIFORM[numbers.astype("<u8").view("<u2")[:count]].reshape(shape)


def random_weights(folder, meta):
    """Its configuration, with the weights beside it."""
    special = {f"{role}_token_id": meta[f"tokenizer.ggml.{key}_token_id"] for role, key in (("bos", "bos"), ("eos", "eos"), ("pad", "padding"))}
    told = QWEN | special | {"vocab_size": meta["llama.vocab_size"]}
    shapes = shapes_of(told)
    safetensors(folder / "model.safetensors", shapes, lambda name: drawn(name, shapes[name]))
    return told


def config(meta, layers):
    theta = meta["llama.rope.freq_base"]
    return {
        "architectures": ["LlamaForCausalLM"],
        "attention_bias": False,
        "attention_dropout": 0.0,
        "bos_token_id": meta["tokenizer.ggml.bos_token_id"],
        "dtype": "bfloat16",
        "eos_token_id": meta["tokenizer.ggml.eos_token_id"],
        "head_dim": meta["llama.rope.dimension_count"],
        "hidden_act": "silu",
        "hidden_size": meta["llama.embedding_length"],
        "initializer_range": 0.02,
        "intermediate_size": meta["llama.feed_forward_length"],
        "max_position_embeddings": meta["llama.context_length"],
        "mlp_bias": False,
        "model_type": "llama",
        "num_attention_heads": meta["llama.attention.head_count"],
        "num_hidden_layers": layers,
        "num_key_value_heads": meta["llama.attention.head_count_kv"],
        "pad_token_id": meta["tokenizer.ggml.padding_token_id"],
        # The file has the float32 nearest to 1e-05.
        "rms_norm_eps": float(f"{meta['llama.attention.layer_norm_rms_epsilon']:.6g}"),
        "rope_parameters": {"rope_theta": theta, "rope_type": "default"},
        "rope_theta": theta,
        "tie_word_embeddings": True,
        "use_cache": True,
        "vocab_size": meta["llama.vocab_size"],
    }


def tokenizer(meta):
    """The files that name what the GGUF says; its pre-tokenizer `smollm` splits digits one by one."""
    tokens, kinds = meta["tokenizer.ggml.tokens"], meta["tokenizer.ggml.token_type"]
    if (meta["tokenizer.ggml.model"], meta["tokenizer.ggml.pre"]) != ("gpt2", "smollm"):
        raise SystemExit("the GGUF's tokenizer is not the one this script writes")
    byte_level = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": True}
    plain = {"single_word": False, "lstrip": False, "rstrip": False, "normalized": False, "special": True}
    names = {
        role: tokens[meta[f"tokenizer.ggml.{key}_token_id"]]
        for role, key in (("bos", "bos"), ("eos", "eos"), ("pad", "padding"), ("unk", "unknown"))
    }
    return {
        "tokenizer.json": {
            "version": "1.0",
            "truncation": None,
            "padding": None,
            "added_tokens": [
                {"id": i, "content": t, **plain}
                for i, t in enumerate(tokens)
                if kinds[i] == 3  # control
            ],
            "normalizer": None,
            "pre_tokenizer": {
                "type": "Sequence",
                "pretokenizers": [{"type": "Digits", "individual_digits": True}, byte_level],
            },
            "post_processor": None,
            "decoder": byte_level,
            "model": {
                "type": "BPE",
                "dropout": None,
                "unk_token": None,
                "continuing_subword_prefix": None,
                "end_of_word_suffix": None,
                "fuse_unk": False,
                "byte_fallback": False,
                "ignore_merges": False,
                "vocab": {token: i for i, token in enumerate(tokens)},
                "merges": [merge.split(" ") for merge in meta["tokenizer.ggml.merges"]],
            },
        },
        "tokenizer_config.json": {
            **{f"{role}_token": token for role, token in names.items()},
            "add_prefix_space": False,
            "clean_up_tokenization_spaces": False,
            "model_max_length": meta["llama.context_length"],
            "tokenizer_class": "PreTrainedTokenizerFast",
        },
        "generation_config.json": {
            "bos_token_id": meta["tokenizer.ggml.bos_token_id"],
            "eos_token_id": meta["tokenizer.ggml.eos_token_id"],
            "pad_token_id": meta["tokenizer.ggml.padding_token_id"],
        },
        "chat_template.jinja": meta["tokenizer.chat_template"],
    }


def main():
    gguf, out = Gguf(sys.argv[1]), pathlib.Path(sys.argv[2])
    names = sys.argv[3:]
    # Of that one only the header and the vocabulary count: the GGUF may end there.
    base = None if names == ["qwen7b-random"] else weights(gguf)
    layers = gguf.meta["llama.block_count"]

    def linear(change):
        return {n: change(b) if "_proj." in n else b for n, b in base.items()}

    variants = {
        "smollm2-135m": lambda: (base, layers),
        "smollm2-135m-drop-layer": lambda: (without_layer(base, DROPPED_LAYER), layers - 1),
        "smollm2-135m-24-layers": lambda: (without_six(base), layers - len(DROPPED_SIX)),
        "smollm2-135m-int4": lambda: (linear(lambda b: rounded(b, 4)), layers),
        "smollm2-135m-int3": lambda: (linear(lambda b: rounded(b, 3)), layers),
        "smollm2-135m-int8": lambda: (linear(lambda b: rounded(b, 8, b.shape[1])), layers),
        "smollm2-135m-fp8": lambda: (linear(e4m3), layers),
        "smollm2-135m-window": lambda: (base, layers),
    }
    common = tokenizer(gguf.meta)
    for name in names or variants:
        folder = out / name
        folder.mkdir(parents=True, exist_ok=True)
        if name == "qwen7b-random":
            told = random_weights(folder, gguf.meta)
        else:
            tensors, count = variants[name]()
            safetensors(folder / "model.safetensors", {n: bits.shape for n, bits in tensors.items()}, tensors.get)
            told = config(gguf.meta, count)
        if name.endswith("-window"):
            told |= {"sliding_window": WINDOW, "layer_types": ["sliding_attention"] * count}
        for file, content in {**common, "config.json": told}.items():
            if not isinstance(content, str):
                content = json.dumps(content, indent=1, ensure_ascii=False) + "\n"
            (folder / file).write_text(content, encoding="utf-8")


main()
