"""How near one text is to another: tokens, BLEU, METEOR, ROUGE, CIDEr-D, BERTScore, intervals."""
