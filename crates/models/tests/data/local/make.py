"""Makes the small transformer models of the tests, with random weights, and what sentence-transformers
computes with them.

pip install sentence-transformers==3.4.1 transformers==4.48.3 tokenizers==0.21.4
"""
import json, pathlib, shutil, tempfile

import torch
from safetensors.torch import load_file, save_file
from sentence_transformers import CrossEncoder, SentenceTransformer, models as modules
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors, trainers
from transformers import (
    BertConfig, BertForMaskedLM, BertForSequenceClassification, BertModel, BertTokenizerFast,
    RobertaConfig, RobertaForSequenceClassification, XLMRobertaConfig, XLMRobertaModel, PreTrainedTokenizerFast)

HERE = pathlib.Path(__file__).parent
CORPUS = """
The quick brown fox jumps over the lazy dog. A green tea pot stands on the kitchen table, beside two cups.
Water is heated in a kettle until it boils; then it is poured over the leaves. Sugar, milk and lemon are optional.
Databases store rows in tables, and indexes find the rows that a query asks for.
""".strip().splitlines()
TEXTS = [
    "", " ", "tea", "Tea", "a green tea pot", "the kettle boils", "unseenword", "xyzzy plugh", "don't",
    "\u00fcber \u00dcber", "\u4e2d\u6587 text", "tabs\tand\nlines\r\n", "[SEP] tea [PAD] pot", "<s> tea <pad> pot",
    "green tea, black tea; two cups.", "tea " * 40, "database indexes find rows " * 30, "a" * 500,
    "\U0001f375 tea", "  many   spaces  ", "[MASK]", "table\u001d",
]
PAIRS = [
    ("green tea", "a green tea pot"), ("green tea", "databases store rows"), ("", "tea"), ("tea", ""),
    ("tea " * 30, "pot"), ("pot", "tea " * 30), ("tea " * 31, "pot " * 33), ("who?", "the lazy dog"),
    (" Tea ", "\u00fcber"), ("milk and lemon " * 4, "cups " * 20),
]


def word_piece(template=True):
    """A tokenizer of BERT's kind; there are two forms of what it puts around texts."""
    tokenizer = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    tokenizer.train_from_iterator(CORPUS, trainers.WordPieceTrainer(vocab_size=120, special_tokens=special))
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", pair="[CLS] $A [SEP] $B:1 [SEP]:1",
        special_tokens=[("[CLS]", 2), ("[SEP]", 3)]) if template else processors.BertProcessing(("[SEP]", 3), ("[CLS]", 2))
    with tempfile.TemporaryDirectory() as folder:
        path = f"{folder}/tokenizer.json"
        tokenizer.save(path)
        return BertTokenizerFast(tokenizer_file=path, model_max_length=36)


def unigram(template=True):
    """A tokenizer of XLM-RoBERTa's kind, with the vocabulary of the static model beside this."""
    state = json.loads((HERE / "../unigram/tokenizer.json").read_text())
    pieces = [piece for piece in state["model"]["vocab"] if piece[0] != "<unk>"]
    special = ["<s>", "<pad>", "</s>", "<unk>"]
    state["model"] |= {"vocab": [[piece, 0.0] for piece in special] + pieces, "unk_id": 3}
    # As a map of numbers, as they were of the other vocabulary.
    state["added_tokens"] = []
    tokenizer = Tokenizer.from_str(json.dumps(state))
    tokenizer.normalizer = None
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.WhitespaceSplit(), pre_tokenizers.Metaspace(prepend_scheme="always")])
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>", pair="<s> $A </s> </s> $B </s>",
        special_tokens=[("<s>", 0), ("</s>", 2)]) if template else processors.RobertaProcessing(("</s>", 2), ("<s>", 0))
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, bos_token="<s>", cls_token="<s>", eos_token="</s>", sep_token="</s>",
        pad_token="<pad>", unk_token="<unk>", model_max_length=30,
        model_input_names=["input_ids", "attention_mask"])


def sizes(tokenizer, **more):
    return dict(
        vocab_size=max(len(tokenizer), 120), hidden_size=16, num_hidden_layers=2, num_attention_heads=4,
        intermediate_size=32, max_position_embeddings=40, **more)


def randomized(model, seed):
    """Weights so large that each part of the model matters."""
    torch.manual_seed(seed)
    with torch.no_grad():
        for name, weight in model.named_parameters():
            weight.normal_(1.0 if name.endswith("LayerNorm.weight") else 0.0, 0.3)
    return model.eval()


def in_precision(folder, dtype):
    """Weights as they are often published; the reference computes in 32 bits with them."""
    path = folder / "model.safetensors"
    save_file({name: weight.to(dtype) for name, weight in load_file(path).items()}, path, {"format": "pt"})
    path.chmod(0o644)


def fresh(name):
    folder = HERE / name
    shutil.rmtree(folder, ignore_errors=True)
    return folder


def tidy(folder, keep=()):
    for path in sorted(folder.rglob("*"), reverse=True):
        wanted = {
            "config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json", "modules.json",
            "sentence_bert_config.json", "config_sentence_transformers.json", "expected.json"}
        if path.is_file() and path.name not in wanted:
            path.unlink()
        elif path.is_dir() and not any(path.iterdir()):
            path.rmdir()


def rounded(numbers):
    return [[round(float(number), 7) for number in row] for row in numbers]


def save_encoder(name, model, tokenizer, pooling, normalize, dtype, max_seq_length=None, lower=False, plain=False):
    """Saves a model with the modules of sentence-transformers, or `plain` without them."""
    folder = fresh(name)
    with tempfile.TemporaryDirectory() as saved:
        model.save_pretrained(saved)
        tokenizer.save_pretrained(saved)
        transformer = modules.Transformer(saved, max_seq_length=max_seq_length, do_lower_case=lower)
        parts = [transformer, modules.Pooling(model.config.hidden_size, pooling)]
        parts += [modules.Normalize()] if normalize else []
        if plain:
            shutil.copytree(saved, folder)
        else:
            SentenceTransformer(modules=parts, device="cpu").save(str(folder))
            # With the prefix and the heads that the model has.
            shutil.copy(f"{saved}/model.safetensors", folder)
            shutil.copy(f"{saved}/config.json", folder)
    in_precision(folder, dtype)
    encoder = SentenceTransformer(str(folder), device="cpu")
    vectors = rounded(encoder.encode(TEXTS))
    (folder / "expected.json").write_text(json.dumps({"texts": TEXTS, "vectors": vectors}) + "\n")
    tidy(folder)


def save_judge(name, model, tokenizer, identity=False):
    folder = fresh(name)
    if identity:
        model.config.sbert_ce_default_activation_function = "torch.nn.modules.linear.Identity"
    model.save_pretrained(folder)
    (folder / "model.safetensors").chmod(0o644)
    tokenizer.save_pretrained(folder)
    judge = CrossEncoder(str(folder), device="cpu")
    scores = [float(score) for score in judge.predict(PAIRS)]
    (folder / "expected.json").write_text(json.dumps({"pairs": PAIRS, "scores": scores}) + "\n")
    tidy(folder)


if __name__ == "__main__":
    tokenizer = word_piece()
    bert = lambda **more: BertConfig(**sizes(tokenizer, **more))
    save_encoder("bert_mean", randomized(BertModel(bert(), add_pooling_layer=False), 1), tokenizer, "mean",
                 True, torch.float32, max_seq_length=24)
    save_encoder("bert_cls", randomized(BertForMaskedLM(bert(hidden_act="gelu_new")), 2), tokenizer, "cls",
                 False, torch.float16, lower=True)
    save_encoder("bert_max", randomized(BertModel(bert(hidden_act="relu", layer_norm_eps=1e-5)), 3), tokenizer,
                 "max", False, torch.float32)
    save_judge("bert_judge", randomized(BertForSequenceClassification(bert(num_labels=1)), 4),
               word_piece(template=False))
    tokenizer = unigram()
    roberta = dict(type_vocab_size=1, pad_token_id=1, bos_token_id=0, eos_token_id=2)
    config = XLMRobertaConfig(**sizes(tokenizer, **roberta))
    save_encoder("xlm_roberta", randomized(XLMRobertaModel(config), 5), tokenizer, "mean", False,
                 torch.bfloat16, plain=True)
    config = RobertaConfig(**sizes(tokenizer, num_labels=1, **roberta))
    save_judge("roberta_judge", randomized(RobertaForSequenceClassification(config), 6),
               unigram(template=False), True)
