/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * Noise_NKpsk0_25519_ChaChaPoly_SHA512: figures of cacophony's vectors/cacophony.txt
 * (https://github.com/haskell-cryptography/cacophony, Unlicense).
 * Messages are written by the initiator and the responder in turn; the first two are the
 * handshake.
 */
#ifndef AMPARO_VECTORS_NOISE_H
#define AMPARO_VECTORS_NOISE_H

struct noise_vector {
	const char *prologue, *psk;
	const char *init_e_sk, *resp_s_sk, *resp_s_pk, *resp_e_sk;
	const char *hash;
	struct {
		const char *payload, *ct;
	} messages[6];
};

static const struct noise_vector noise_vectors[] = {
	{
		.prologue = "4a6f686e2047616c74",
		.psk = "54686973206973206d7920417573747269616e20706572737065637469766521",
		.init_e_sk = "893e28b9dc6ca8d611ab664754b8ceb7bac5117349a4439a6b0569da977c464a",
		.resp_s_sk = "4a3acbfdb163dec651dfa3194dece676d437029c62a408b4c5ea9114246e4893",
		.resp_s_pk = "31e0303fd6418d2f8c0e78b91f22e8caed0fbe48656dcf4767e4834f701b8f62",
		.resp_e_sk = "bbdb4cdbd309f1a1f2e1456967fe288cadd6f712d65dc7b7793d5e63da6b375b",
		.hash = "39b9b7de18f19c82bd5be2b1282b2a112635d6ff3e83d2820fd44114af5dbe4f"
		  "8ef8670ac5623399c0c642b1e369b513b5f8a4dbd1a49efdf1eb63bc5af731ab",
		.messages = {
			{ "4c756477696720766f6e204d69736573",
			  "ca35def5ae56cec33dc2036731ab14896bc4c75dbb07a61f879f8e3afa4c7944"
			  "1216df1157e469524deb65d15f98c043db3dc9f19c3bb6c772896a7d6ba05e5a" },
			{ "4d757272617920526f746862617264",
			  "95ebc60d2b1fa672c1f46a8aa265ef51bfe38e7ccb39ec5be34069f144808843"
			  "2b45647e412e1204634544c4d7f811691aa9ec5e918107ae36e01cb0fed59f" },
			{ "462e20412e20486179656b",
			  "ca8362843041641a5a8806187fcc6b594797422649a4a75891dd40" },
			{ "4361726c204d656e676572",
			  "59f18625dbd2a050abe903353202516cffafecaec5b735e68f0fb4" },
			{ "4a65616e2d426170746973746520536179",
			  "51831ac5dda861fee8a9f2418041cf7bfe9f1c46ef679b96694a47dab7378436"
			  "3f" },
			{ "457567656e2042f6686d20766f6e2042617765726b",
			  "9935556927f5a69cc9314520ebd99ed92ebb6fd10b9428a19358d8f47f628a6d"
			  "b9da3e628e" },
		},
	},
};

#endif
